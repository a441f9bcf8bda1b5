"""Medical files written and read by others: DICOM by pydicom and GDCM, HDF5 by h5py, NIfTI by nibabel.

Writes test/golden/data/medical/ and test/golden/data/medical.json. Needs Debian's python3-pydicom,
python3-gdcm, python3-h5py and python3-nibabel.
"""

import base64
import gc
import json
import os
from pathlib import Path

import gdcm
import h5py
import nibabel
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.pixel_data_handlers.util import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi_lut,
    convert_color_space,
)
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

# GDCM's objects crash the collector.
gc.disable()
root = Path(__file__).resolve().parents[2] / "test" / "golden" / "data"
folder = root / "medical"
folder.mkdir(exist_ok=True)
rows, columns = 11, 14
generator = np.random.default_rng(5)


def encode(array) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def base(samples, bits_stored, photometric="MONOCHROME2", **more) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.SamplesPerPixel = 3 if samples.ndim == 3 and samples.shape[-1] == 3 else 1
    data.PhotometricInterpretation = photometric
    if data.SamplesPerPixel == 3:
        data.PlanarConfiguration = 0
    data.Rows, data.Columns = rows, columns
    data.BitsAllocated = samples.dtype.itemsize * 8
    data.BitsStored = bits_stored
    data.HighBit = bits_stored - 1
    data.PixelRepresentation = int(samples.dtype.kind == "i")
    data.PixelData = samples.tobytes()
    for name, value in more.items():
        setattr(data, name, value)
    data.is_little_endian, data.is_implicit_VR = True, False
    return data


def save(data, name) -> str:
    path = folder / name
    data.save_as(path, write_like_original=False)
    return str(path)


def recode(source: str, name: str, syntax) -> bool:
    reader = gdcm.ImageReader()
    reader.SetFileName(source)
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    change.SetInput(reader.GetImage())
    if not change.Change():
        return False
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(folder / name))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return True


# Stored values, through every lossless transfer syntax.
stored = {}
kinds = {
    "u8": (generator.integers(0, 256, (rows, columns)).astype("u1"), 8),
    "u12": (generator.integers(0, 4096, (rows, columns)).astype("<u2"), 12),
    "s16": (generator.integers(-32768, 32768, (rows, columns)).astype("<i2"), 16),
    "rgb": (generator.integers(0, 256, (rows, columns, 3)).astype("u1"), 8),
}
compressed = {
    "rle": gdcm.TransferSyntax.RLELossless,
    "jpegls": gdcm.TransferSyntax.JPEGLSLossless,
    "j2k": gdcm.TransferSyntax.JPEG2000Lossless,
    "jpeg70": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    "jpeg57": gdcm.TransferSyntax.JPEGLosslessProcess14,
}
for kind, (samples, bits) in kinds.items():
    photometric = "RGB" if kind == "rgb" else "MONOCHROME2"
    source = save(base(samples, bits, photometric), f"{kind}-explicit.dcm")
    names = [f"{kind}-explicit.dcm"]
    for name, syntax in compressed.items():
        # GDCM crashes on colours in JPEG 2000.
        if (kind, name) != ("rgb", "j2k") and recode(source, f"{kind}-{name}.dcm", syntax):
            names.append(f"{kind}-{name}.dcm")
    implicit = base(samples, bits, photometric)
    implicit.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    implicit.is_implicit_VR = True
    save(implicit, f"{kind}-implicit.dcm")
    big = base(samples.astype(samples.dtype.newbyteorder(">")), bits, photometric)
    big.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    big.is_little_endian = False
    save(big, f"{kind}-big.dcm")
    deflated = base(samples, bits, photometric)
    deflated.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    save(deflated, f"{kind}-deflated.dcm")
    names += [f"{kind}-{name}.dcm" for name in ("implicit", "big", "deflated")]
    for name in names:
        stored[name] = {"values": [int(value) for value in samples.ravel()]}


def table(values, first, bits, vr="US") -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", vr, [len(values), first, bits])
    item.add_new("LUTData", "US", list(values))
    return item


# Grey levels, as pydicom scales them.
levels = {}
ct = generator.integers(-1100, 2000, (rows, columns)).astype("<i2")
film = generator.integers(0, 4096, (rows, columns)).astype("<u2")
window = {"WindowCenter": 40, "WindowWidth": 400, "RescaleSlope": 1, "RescaleIntercept": -24}
gamma = (4095 * (np.arange(4096) / 4095) ** 0.5).astype(int)
cases = {
    "window": base(ct, 16, **window),
    "several": base(ct, 16, **{**window, "WindowCenter": [60, 700], "WindowWidth": [80, 90]}),
    "slope": base(film, 12, WindowCenter=100, WindowWidth=300, RescaleSlope=0.25, RescaleIntercept=-9.5),
    "exact": base(ct, 16, VOILUTFunction="LINEAR_EXACT", **window),
    "sigmoid": base(ct, 16, VOILUTFunction="SIGMOID", **window),
    "inverted": base(film, 12, "MONOCHROME1", WindowCenter=2000, WindowWidth=3000),
    "voi-table": base(film, 12, VOILUTSequence=Sequence([table(gamma, 0, 12)])),
    "modality-table": base(
        film,
        12,
        ModalityLUTSequence=Sequence([table(gamma[::-1], 0, 16)]),
        WindowCenter=2000,
        WindowWidth=3500,
    ),
}
for name, data in cases.items():
    if "ModalityLUTSequence" in data:
        data.ModalityLUTSequence[0].ModalityLUTType = "US"
    save(data, f"levels-{name}.dcm")
    values = apply_modality_lut(data.pixel_array, data)
    shown = apply_voi_lut(values, data).astype("f8")
    # pydicom's range: that of the values before the window, after the slope.
    if "VOILUTSequence" in data:
        low, high = 0, 2 ** data.VOILUTSequence[0].LUTDescriptor[2] - 1
    elif "ModalityLUTSequence" in data:
        low, high = 0, 2 ** data.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    else:
        bits, signed = data.BitsStored, data.PixelRepresentation
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        slope, shift = float(data.get("RescaleSlope", 1)), float(data.get("RescaleIntercept", 0))
        low, high = low * slope + shift, high * slope + shift
    grey = (shown - low) / (high - low) * 255
    if data.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    levels[f"levels-{name}.dcm"] = encode(np.rint(grey.clip(0, 255)).astype("u1"))

# Colours.
colours = {}
palette = base(generator.integers(0, 40, (rows, columns)).astype("u1"), 8, "PALETTE COLOR")
for index, colour in enumerate(("Red", "Green", "Blue")):
    entries = (generator.integers(0, 256, 40) * 257).astype("<u2")
    setattr(palette, f"{colour}PaletteColorLookupTableDescriptor", [40, 0, 16])
    setattr(palette, f"{colour}PaletteColorLookupTableData", entries.tobytes())
save(palette, "colour-palette.dcm")
colours["colour-palette.dcm"] = encode((apply_color_lut(palette.pixel_array, palette) >> 8).astype("u1"))
ybr_samples = generator.integers(0, 256, (rows, columns, 3)).astype("u1")
ybr = base(ybr_samples, 8, "YBR_FULL")
save(ybr, "colour-ybr.dcm")
colours["colour-ybr.dcm"] = encode(convert_color_space(ybr_samples, "YBR_FULL", "RGB"))
planes = base(ybr_samples, 8, "RGB")
planes.PlanarConfiguration = 1
planes.PixelData = ybr_samples.transpose(2, 0, 1).tobytes()
save(planes, "colour-planar.dcm")
colours["colour-planar.dcm"] = encode(ybr_samples)

# A cine of three frames.
cine = base(generator.integers(0, 256, (3, rows, columns)).astype("u1"), 8, NumberOfFrames="3")
save(cine, "cine.dcm")
frames = [encode(frame) for frame in cine.pixel_array]

# HDF5: several layouts of the same pictures.
pictures = generator.integers(0, 256, (9, 6, 5, 3)).astype("u1")
deep = generator.integers(0, 65536, (4, 6, 5)).astype(">u2")
with h5py.File(folder / "layouts.h5", "w") as file:
    file["plain"] = pictures
    file.create_dataset("gzip", data=pictures, chunks=(4, 6, 5, 3), compression="gzip", shuffle=True)
    file.create_dataset("odd", data=pictures, chunks=(2, 3, 5, 1), compression="gzip", fletcher32=True)
    file["group/planes"] = pictures.transpose(0, 3, 1, 2)
    file["deep"] = deep
    file["floats"] = pictures.astype("f4")
    file["labels"] = np.arange(9) % 3
    file["names"] = [f"class {index % 2}" for index in range(9)]

# NIfTI: slices along every axis, of several types.
nifti = {}
volume = generator.normal(50, 300, (5, 6, 7))
makers = {
    "float.nii": nibabel.Nifti1Image(volume.astype("f4"), np.eye(4)),
    "short.nii.gz": nibabel.Nifti1Image(volume.astype("i2"), np.eye(4)),
    "second.nii": nibabel.Nifti2Image(volume.astype("f8"), np.eye(4)),
    "bytes.nii.gz": nibabel.Nifti1Image((volume % 256).astype("u1"), np.eye(4)),
    "big.nii": nibabel.Nifti1Image(volume.astype("i2"), np.eye(4), nibabel.Nifti1Header(endianness=">")),
    "flat.nii": nibabel.Nifti1Image(volume[:, :, :1].astype("i2"), np.eye(4)),
}
scaled = nibabel.Nifti1Image(volume.astype("i2"), np.eye(4))
scaled.header.set_slope_inter(0.5, -100)
makers["scaled.nii"] = scaled
shown = nibabel.Nifti1Image(volume.astype("i2"), np.eye(4))
shown.header["cal_min"], shown.header["cal_max"] = -100, 250
makers["shown.nii.gz"] = shown
for name, image in makers.items():
    nibabel.save(image, folder / name)
    loaded = nibabel.load(folder / name)
    values = loaded.get_fdata()
    low, high = float(values.min()), float(values.max())
    if name == "bytes.nii.gz":
        low, high = 0, 255
    if name == "shown.nii.gz":
        low, high = -100, 250
    grey = np.rint(((values - low) / (high - low) * 255).clip(0, 255)).astype("u1")
    slices = {"": grey[:, :, 0].T} if grey.shape[2] == 1 else {
        "#slice=2": grey[:, :, 2].T,
        "#slice=middle": grey[:, :, 3].T,
        "#axis=1&slice=4": grey[:, 4, :].T,
        "#axis=0&slice=0": grey[0, :, :].T,
    }
    nifti[name] = {part: {"size": [a.shape[1], a.shape[0]], "levels": encode(a)} for part, a in slices.items()}

(root / "medical.json").write_text(
    json.dumps(
        {
            "columns": columns,
            "rows": rows,
            "stored": stored,
            "levels": levels,
            "colours": colours,
            "frames": frames,
            "hdf5": {"pictures": encode(pictures), "deep": encode((deep >> 8).astype("u1"))},
            "nifti": nifti,
        }
    )
    + "\n"
)
os._exit(0)
