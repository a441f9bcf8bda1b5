/** How fast this machine multiplies matrices through LibTorch, which bounds how fast it trains. */
import { type Device, type DType, ops, scope, synchronize } from '../../tensor/index.ts';

/**
 * Speed of a square matrix product, in GFLOP/s (2 n³ operations each): the best of several.
 * @param size n; a slow machine gets a smaller one by itself, so that this takes about a second
 */
export function gemmSpeed(device: Device, dtype: DType, size = 1024): number {
  const seconds = secondsPerProduct(device, dtype, 256, 1);
  const fits = 2 * size ** 3 * (seconds / (2 * 256 ** 3)) < 1;
  const chosen = fits ? size : 256;
  return (2 * chosen ** 3) / secondsPerProduct(device, dtype, chosen, fits ? 8 : 2) / 1e9;
}

function secondsPerProduct(device: Device, dtype: DType, size: number, repeats: number): number {
  return scope(() => {
    const values = ops.full([size, size], 0.5, { dtype, device });
    const once = () => {
      const start = performance.now();
      scope(() => {
        ops.mm(values, values);
        synchronize(device);
      });
      return (performance.now() - start) / 1000;
    };
    once();
    return Math.min(...Array.from({ length: repeats }, once));
  });
}

/** Whether a bfloat16 product runs at all on the device. */
export function multipliesBFloat16(device: Device): boolean {
  return scope(() => {
    try {
      const one = ops.full([1, 1], 1, { dtype: 'bfloat16', device });
      return ops.mm(one, one).toArray()[0] === 1;
    } catch {
      return false;
    }
  });
}
