/**
 * A perceptual hash: 64 bits that stay nearly the same when a picture is scaled, recompressed or
 * slightly retouched. The one known as pHash (Zauner 2010; `phash` of the Python package ImageHash):
 * 32 × 32 grey values, their discrete cosine transform, and of its 8 × 8 lowest frequencies whether
 * each is above the median.
 */

const side = 32;
const kept = 8;

/** cos(π (2n + 1) k / 2N), [k, n]: the transform of type II. */
const cosines = Float64Array.from({ length: kept * side }, (_, at) => {
  const [k, n] = [Math.floor(at / side), at % side];
  return Math.cos((Math.PI * (2 * n + 1) * k) / (2 * side));
});

/** @param pixels size × size × 3 bytes. @returns 16 hexadecimal digits. */
export function perceptualHash(pixels: Uint8Array, size: number): string {
  const grey = greyCells(pixels, size);
  // [row, k], then [l, k].
  const across = new Float64Array(side * kept);
  for (let row = 0; row < side; row++) {
    for (let k = 0; k < kept; k++) {
      let sum = 0;
      for (let n = 0; n < side; n++) {
        sum += (grey[row * side + n] as number) * (cosines[k * side + n] as number);
      }
      across[row * kept + k] = sum;
    }
  }
  const values = new Float64Array(kept * kept);
  for (let l = 0; l < kept; l++) {
    for (let k = 0; k < kept; k++) {
      let sum = 0;
      for (let n = 0; n < side; n++) {
        sum += (across[n * kept + k] as number) * (cosines[l * side + n] as number);
      }
      values[l * kept + k] = sum;
    }
  }
  const sorted = values.toSorted();
  const middle = ((sorted[31] ?? 0) + (sorted[32] ?? 0)) / 2;
  let digits = '';
  for (let at = 0; at < values.length; at += 4) {
    const bit = (more: number): number => ((values[at + more] as number) > middle ? 8 >> more : 0);
    digits += (bit(0) | bit(1) | bit(2) | bit(3)).toString(16);
  }
  return digits;
}

/**
 * Mean brightness (ITU-R 601 luma) of 32 × 32 cells. A small picture's pixels count more than once; of a
 * large one, every second or third row and column is enough.
 */
export function greyCells(pixels: Uint8Array, size: number): Float64Array {
  const cells = new Float64Array(side * side);
  const step = Math.max(1, Math.floor(size / (4 * side)));
  const edges = Int32Array.from({ length: side + 1 }, (_, at) => Math.floor((at * size) / side));
  for (let row = 0; row < side; row++) {
    const top = edges[row] as number;
    const bottom = Math.max(edges[row + 1] as number, top + 1);
    for (let column = 0; column < side; column++) {
      const left = edges[column] as number;
      const right = Math.max(edges[column + 1] as number, left + 1);
      let sum = 0;
      let count = 0;
      for (let y = top; y < bottom; y += step) {
        for (let x = left; x < right; x += step) {
          const at = (y * size + x) * 3;
          sum +=
            299 * (pixels[at] as number) +
            587 * (pixels[at + 1] as number) +
            114 * (pixels[at + 2] as number);
          count++;
        }
      }
      cells[row * side + column] = sum / (1000 * count);
    }
  }
  return cells;
}
