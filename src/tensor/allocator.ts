/**
 * Makes tensors on the processor of memory that is found again when it is free, by the addon of native/allocator/,
 * unless `CARRYOVER_ALLOCATOR=0`.
 */
import { loadExtension } from './extensions.ts';

loadExtension('allocator');
