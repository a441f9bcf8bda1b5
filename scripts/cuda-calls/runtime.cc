// Stands in for CUDA's runtime and cuBLAS where there is no GPU: put before them (LD_PRELOAD), it writes down what
// LibTorch asks of them, one line a call, to the file that CARRYOVER_CUDA_CALLS names. Memory is the host's, and
// copies are made; kernels are not run, so that numbers mean nothing. For the calls of LibTorch 2.14 for CUDA 13.
#include <cuda_runtime_api.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace {

enum class Kind { pageable, pinned, device };
const char* const kWords[] = {"pageable", "pinned", "device"};

struct Range {
  size_t bytes;
  Kind kind;
};

std::mutex guard;

// Never destroyed: LibTorch frees memory while the process ends.
std::map<uintptr_t, Range>& ranges() {
  static auto* instance = new std::map<uintptr_t, Range>();
  return *instance;
}

std::map<const void*, const char*>& kernels() {
  static auto* instance = new std::map<const void*, const char*>();
  return *instance;
}

void say(const char* format, ...) {
  static const int file = [] {
    const char* name = getenv("CARRYOVER_CUDA_CALLS");
    return name ? open(name, O_WRONLY | O_APPEND | O_CREAT, 0644) : -1;
  }();
  if (file < 0) return;
  char line[400];
  va_list values;
  va_start(values, format);
  int wanted = vsnprintf(line, sizeof line - 1, format, values);
  va_end(values);
  auto length = static_cast<size_t>(wanted) < sizeof line - 2 ? static_cast<size_t>(wanted) : sizeof line - 2;
  line[length] = '\n';
  if (write(file, line, length + 1) < 0) abort();
}

/// Pages that take no memory before they are touched.
void* take(size_t bytes, Kind kind) {
  bytes += 4096;
  void* place = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) abort();
  std::lock_guard<std::mutex> lock(guard);
  ranges()[reinterpret_cast<uintptr_t>(place)] = {bytes, kind};
  return place;
}

void give(void* place) {
  std::lock_guard<std::mutex> lock(guard);
  auto found = ranges().find(reinterpret_cast<uintptr_t>(place));
  if (found == ranges().end()) return;
  munmap(place, found->second.bytes);
  ranges().erase(found);
}

Kind kind_of(const void* place) {
  std::lock_guard<std::mutex> lock(guard);
  auto address = reinterpret_cast<uintptr_t>(place);
  auto next = ranges().upper_bound(address);
  if (next == ranges().begin()) return Kind::pageable;
  --next;
  return address < next->first + next->second.bytes ? next->second.kind : Kind::pageable;
}

const char* word(const void* place) { return kWords[static_cast<int>(kind_of(place))]; }
int number(const void* handle) { return static_cast<int>(reinterpret_cast<uintptr_t>(handle)); }

/// A handle of a stream, an event or a library.
template <typename Handle>
int make(Handle* handle) {
  static uintptr_t next = 16;
  std::lock_guard<std::mutex> lock(guard);
  *handle = reinterpret_cast<Handle>(next++);
  return 0;
}

cudaError_t copy(const char* how, void* to, const void* from, size_t bytes, cudaStream_t stream) {
  say("%s %s to %s, %zu bytes, stream %d", how, word(from), word(to), bytes, number(stream));
  memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t launch(const void* kernel, cudaStream_t stream) {
  const char* name = "?";
  {
    std::lock_guard<std::mutex> lock(guard);
    auto found = kernels().find(kernel);
    if (found != kernels().end()) name = found->second;
  }
  say("kernel stream %d %s", number(stream), name);
  return cudaSuccess;
}

int nothing() { return 0; }

}  // namespace

extern "C" {

// --- the device: about an H100 ----------------------------------------------------------------------

cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
cudaError_t cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaDriverGetVersion(int* version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int* version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaPeekAtLastError() { return cudaSuccess; }
const char* cudaGetErrorName(cudaError_t) { return "none"; }
const char* cudaGetErrorString(cudaError_t) { return "none"; }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* of, int) {
  *of = cudaDeviceProp();
  strcpy(of->name, "no GPU");
  of->major = 9;
  of->multiProcessorCount = 132;
  of->totalGlobalMem = 80ull << 30;
  of->sharedMemPerBlock = 48 << 10;
  of->sharedMemPerBlockOptin = 227 << 10;
  of->sharedMemPerMultiprocessor = 228 << 10;
  of->regsPerBlock = of->regsPerMultiprocessor = 65536;
  of->warpSize = 32;
  of->maxThreadsPerBlock = 1024;
  of->maxThreadsPerMultiProcessor = 2048;
  of->maxBlocksPerMultiProcessor = 32;
  for (int axis = 0; axis < 3; axis++) {
    of->maxThreadsDim[axis] = axis == 2 ? 64 : 1024;
    of->maxGridSize[axis] = axis == 0 ? 2147483647 : 65535;
  }
  of->l2CacheSize = 50 << 20;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount: *value = 132; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = 227 << 10; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = 48 << 10; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: *value = 228 << 10; break;
    case cudaDevAttrComputeCapabilityMajor: *value = 9; break;
    case cudaDevAttrComputeCapabilityMinor: *value = 0; break;
    case cudaDevAttrMaxThreadsPerBlock: *value = 1024; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = 2048; break;
    case cudaDevAttrWarpSize: *value = 32; break;
    case cudaDevAttrMaxGridDimX: *value = 2147483647; break;
    case cudaDevAttrMaxGridDimY:
    case cudaDevAttrMaxGridDimZ: *value = 65535; break;
    default: *value = 1;
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int) { return snprintf(text, length, "0000:00:00.0"), cudaSuccess; }
cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) { return *can = 0, cudaSuccess; }
cudaError_t cudaDeviceEnablePeerAccess(int, unsigned) { return cudaSuccess; }
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  if (least) *least = 0;
  if (greatest) *greatest = -5;
  return cudaSuccess;
}

// --- memory ----------------------------------------------------------------------------------------

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) { return *free = 70ull << 30, *total = 80ull << 30, cudaSuccess; }
cudaError_t cudaMalloc(void** place, size_t bytes) {
  say("allocate %zu bytes", bytes);
  return *place = take(bytes, Kind::device), cudaSuccess;
}
cudaError_t cudaFree(void* place) { return give(place), cudaSuccess; }
cudaError_t cudaHostAlloc(void** place, size_t bytes, unsigned) {
  say("pin %zu bytes", bytes);
  return *place = take(bytes, Kind::pinned), cudaSuccess;
}
cudaError_t cudaFreeHost(void* place) { return give(place), cudaSuccess; }
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* of, const void* place) {
  *of = cudaPointerAttributes();
  Kind kind = kind_of(place);
  of->type = kind == Kind::device ? cudaMemoryTypeDevice : kind == Kind::pinned ? cudaMemoryTypeHost : cudaMemoryTypeUnregistered;
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
  say("wait for a copy");
  return copy("copy", to, from, bytes, nullptr);
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  return copy("copy", to, from, bytes, stream);
}
cudaError_t cudaMemset(void* place, int value, size_t bytes) {
  say("wait for a filling");
  return memset(place, value, bytes), cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* place, int value, size_t bytes, cudaStream_t stream) {
  say("fill %zu bytes, stream %d", bytes, number(stream));
  return memset(place, value, bytes), cudaSuccess;
}
cudaError_t cudaMemcpyToSymbol(const void*, const void*, size_t, size_t, cudaMemcpyKind) { return cudaSuccess; }
cudaError_t cudaGetSymbolAddress(void** place, const void*) {
  static void* const room = take(1 << 20, Kind::device);
  return *place = room, cudaSuccess;
}

// --- streams and events: all is done at once -------------------------------------------------------

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned, int) { return make(stream), cudaSuccess; }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) { return make(stream), cudaSuccess; }
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamQuery(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t stream) { return say("wait for stream %d", number(stream)), cudaSuccess; }
cudaError_t cudaDeviceSynchronize() { return say("wait for the device"), cudaSuccess; }
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return say("stream %d after event %d", number(stream), number(event)), cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) { return *status = cudaStreamCaptureStatusNone, cudaSuccess; }
cudaError_t cudaStreamGetCaptureInfo(cudaStream_t, cudaStreamCaptureStatus* status, unsigned long long*, cudaGraph_t*,
                                     const cudaGraphNode_t**, const cudaGraphEdgeData**, size_t*) {
  return *status = cudaStreamCaptureStatusNone, cudaSuccess;
}
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode*) { return cudaSuccess; }
cudaError_t cudaEventCreate(cudaEvent_t* event) { return make(event), cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return make(event), cudaSuccess; }
cudaError_t cudaEventDestroy(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventQuery(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t event) { return say("wait for event %d", number(event)), cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* time, cudaEvent_t, cudaEvent_t) { return *time = 0, cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return say("event %d, stream %d", number(event), number(stream)), cudaSuccess;
}
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned) { return cudaEventRecord(event, stream); }

// --- kernels ---------------------------------------------------------------------------------------

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* of, const void*) {
  *of = cudaFuncAttributes();
  of->maxThreadsPerBlock = 1024;
  of->numRegs = 32;
  of->binaryVersion = of->ptxVersion = 90;
  of->maxDynamicSharedSizeBytes = 227 << 10;
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) { return cudaSuccess; }
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void*, int, size_t, unsigned) {
  return *blocks = 2, cudaSuccess;
}
cudaError_t cudaGetDriverEntryPointByVersion(const char*, void** function, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult* result) {
  *function = reinterpret_cast<void*>(nothing);
  if (result) *result = cudaDriverEntryPointSuccess;
  return cudaSuccess;
}
cudaError_t cudaLaunchKernel(const void* kernel, dim3, dim3, void**, size_t, cudaStream_t stream) { return launch(kernel, stream); }
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* how, const void* kernel, void**) { return launch(kernel, how->stream); }
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3, dim3, void**, size_t, cudaStream_t stream) { return launch(kernel, stream); }
cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  return *kernel = static_cast<cudaKernel_t>(const_cast<void*>(function)), cudaSuccess;
}

struct Configuration {
  dim3 grid, block;
  size_t memory;
  void* stream;
};
static thread_local Configuration pushed;
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t memory, CUstream_st* stream) {
  return pushed = {grid, block, memory, stream}, 0;
}
cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* memory, void* stream) {
  *grid = pushed.grid, *block = pushed.block, *memory = pushed.memory;
  return *static_cast<void**>(stream) = pushed.stream, cudaSuccess;
}
void** __cudaRegisterFatBinary(void*) {
  static void* handle = nullptr;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
void __cudaRegisterVar(void**, char*, char*, const char*, int, size_t, int, int) {}
void __cudaRegisterFunction(void**, const char* function, char*, const char* name, int, void*, void*, void*, void*, int*) {
  std::lock_guard<std::mutex> lock(guard);
  kernels()[function] = name;
}

// --- cuBLAS ----------------------------------------------------------------------------------------

#define SILENT(name) int name(...) { return 0; }
#define PRODUCT(name) int name(...) { return say("kernel stream 0 " #name), 0; }
#define DESCRIPTION(made, freed) \
  int made(void** handle, ...) { return *handle = calloc(1, 4096), 0; } \
  int freed(void* handle) { return free(handle), 0; }

int cublasCreate_v2(void** handle) { return make(handle); }
int cublasGetMathMode(void*, int* mode) { return *mode = 0; }
int cublasGetPointerMode_v2(void*, int* mode) { return *mode = 0; }
SILENT(cublasDestroy_v2)
SILENT(cublasSetStream_v2)
SILENT(cublasSetWorkspace_v2)
SILENT(cublasSetMathMode)
SILENT(cublasSetPointerMode_v2)
SILENT(cublasSetSmCountTarget)
SILENT(cublasLtMatmulDescSetAttribute)
SILENT(cublasLtMatmulPreferenceSetAttribute)
SILENT(cublasLtMatrixLayoutSetAttribute)
DESCRIPTION(cublasLtMatmulDescCreate, cublasLtMatmulDescDestroy)
DESCRIPTION(cublasLtMatmulPreferenceCreate, cublasLtMatmulPreferenceDestroy)
DESCRIPTION(cublasLtMatrixLayoutCreate, cublasLtMatrixLayoutDestroy)
PRODUCT(cublasGemmEx)
PRODUCT(cublasGemmStridedBatchedEx)
PRODUCT(cublasSgemm_v2)
PRODUCT(cublasSgemmEx)
PRODUCT(cublasSgemmStridedBatched)
PRODUCT(cublasSgemv_v2)
PRODUCT(cublasLtMatmul)
// One way to multiply, which needs no memory: a structure of 96 bytes, all 0.
int cublasLtMatmulAlgoGetHeuristic(void*, void*, void*, void*, void*, void*, void*, int, void* ways, int* count) {
  return memset(ways, 0, 96), *count = 1, 0;
}

// --- LibTorch --------------------------------------------------------------------------------------

// Convolutions by LibTorch's own kernels: cuDNN brings a runtime of its own, which asks the driver.
bool _ZNK2at7Context16userEnabledCuDNNEv(const void*) { return false; }
}
