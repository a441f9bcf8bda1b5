// The few functions of CUDA's driver that LibTorch 2.14 looks up by name, for runtime.cc: named libcuda.so.1.
extern "C" {
#define NOTHING(name) int name(...) { return 0; }
int cuDevicePrimaryCtxGetState(int, unsigned* flags, int* active) { return *flags = 0, *active = 1, 0; }
int cuCtxGetCurrent(void** context) { return *context = context, 0; }
int cuGetErrorString(int, const char** text) { return *text = "none", 0; }
NOTHING(cuInit)
NOTHING(cuCtxFromGreenCtx)
NOTHING(cuCtxSetCurrent)
NOTHING(cuDeviceGet)
NOTHING(cuFuncGetAttribute)
NOTHING(cuFuncSetAttribute)
NOTHING(cuGreenCtxCreate)
NOTHING(cuLaunchCooperativeKernel)
NOTHING(cuLaunchKernel)
NOTHING(cuLaunchKernelEx)
NOTHING(cuLinkAddData)
NOTHING(cuLinkComplete)
NOTHING(cuLinkCreate)
NOTHING(cuMemGetAddressRange_v2)
NOTHING(cuMemGetHandleForAddressRange)
NOTHING(cuMemHostGetDevicePointer)
NOTHING(cuModuleGetFunction)
NOTHING(cuModuleLoadData)
NOTHING(cuModuleLoadDataEx)
NOTHING(cuModuleUnload)
NOTHING(cuOccupancyMaxActiveBlocksPerMultiprocessor)
NOTHING(cuPointerGetAttribute)
NOTHING(cuTensorMapEncodeIm2col)
NOTHING(cuTensorMapEncodeTiled)
}
