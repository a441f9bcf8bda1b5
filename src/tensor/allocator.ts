/** Memory for tensors on the processor that is found again when it is free, from the addon of native/allocator/. */
import { loadExtension } from './extensions.ts';

const isLoaded = loadExtension('allocator') !== undefined;

/** Whether tensors on the processor have our memory: it is built, and not switched off by `CARRYOVER_ALLOCATOR=0`. */
export function hasOwnAllocator(): boolean {
  return isLoaded;
}
