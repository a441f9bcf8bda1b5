/** Golden checkpoint files, and tensors in the form in which they are described there. */
import { readFileSync } from 'node:fs';
import type { StoredTensor } from '../../src/weights/index.ts';

const golden = new URL('../golden/weights/', import.meta.url);

export function goldenPath(name: string): string {
  return new URL(name, golden).pathname;
}

export interface GoldenTensor {
  dtype: string;
  shape: number[];
  /** The row-major elements' bytes. */
  hex: string;
}

export function readGolden<T>(name: string): T {
  const parsed: T = JSON.parse(readFileSync(goldenPath(name), 'utf8'));
  return parsed;
}

/** A checkpoint's tensors in the form of the golden files. */
export function describeTensors(tensors: Map<string, StoredTensor>): Record<string, GoldenTensor> {
  return Object.fromEntries(
    [...tensors].map(([name, { dtype, shape, bytes }]) => [
      name,
      { dtype, shape: [...shape], hex: Buffer.from(bytes).toString('hex') },
    ]),
  );
}
