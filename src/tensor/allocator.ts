/** Memory for tensors on the processor that is found again when it is free, from the addon of native/allocator/. */
import { loadExtension } from './extensions.ts';

const isLoaded = loadExtension('allocator') !== undefined;

/** Whose memory tensors on the processor are made of: ours, unless it is not built or `CARRYOVER_ALLOCATOR=0`. */
export function allocatorName(): 'carryover' | 'LibTorch' {
  return isLoaded ? 'carryover' : 'LibTorch';
}
