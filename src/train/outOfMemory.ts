/** A device that has too little memory for a batch: what would fit, and an error that says so. */
import { WorkError } from '../util/index.ts';

/** How LibTorch, its allocators and C++ say that there is no memory. */
const TEXTS =
  /out of memory|can't allocate memory|could not create a memory|bad_alloc|expected memory for a tensor/i;

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && TEXTS.test(error.message);
}

/**
 * The largest batch that fits: halves of `failed` until one is stepped, then once in between.
 * @param fits whether a step with so many images has room; it must leave nothing behind
 * @returns 0 where not even one image fits
 */
export function largestThatFits(failed: number, fits: (images: number) => boolean): number {
  let images = Math.floor(failed / 2);
  while (images > 0 && !fits(images)) images = Math.floor(images / 2);
  const between = Math.floor(images * 1.5);
  return images > 1 && between < failed && fits(between) ? between : images;
}

/** The error of a run whose batch does not fit. */
export function outOfMemory(
  cause: unknown,
  { images, largest, device }: { images: number; largest: number; device: string },
): WorkError {
  const got = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  return new WorkError(
    {
      where: `training on ${device}`,
      expected: `memory for a batch of ${images} images`,
      got,
      hint:
        largest > 0
          ? `set training.batchSize=${largest}, which fits`
          : 'not one image fits: use a smaller model or size, or another device',
    },
    { cause },
  );
}
