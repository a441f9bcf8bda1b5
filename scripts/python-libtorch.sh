# Sourced by the scripts that take a Python: `torch`, the folder of its PyTorch, and `out`, where the addon that
# is built against it lies, a folder for each, from the root of the project.
python_libtorch() {
  if ! torch=$("$1" -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])' 2>&1); then
    echo "error: $1: expected a Python that has torch, got: ${torch##*$'\n'} (give another Python)" >&2
    exit 2
  fi
  out=native/build/python-$(echo "$torch" | cksum | cut -d' ' -f1)
}
