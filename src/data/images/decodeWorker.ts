/** The body of a decoding thread. */
import { serve } from '../threads/serve.ts';
import { youngCollector } from '../threads/youngCollector.ts';
import { BadImageError } from './badImage.ts';
import type { DecodeRequest, DecodeResult } from './decodePool.ts';
import { readResized } from './resizedImage.ts';

const freeMemory = youngCollector();

serve<DecodeRequest, DecodeResult>(
  async ({ path, resize, maxPixels }) => {
    try {
      return { image: await readResized(path, resize, maxPixels) };
    } catch (error) {
      if (error instanceof BadImageError) return { bad: error.message };
      throw error;
    } finally {
      freeMemory();
    }
  },
  // A file is read while another is decoded (`readResized`).
  { atOnce: 2, transfer: (result) => ('image' in result ? [result.image.pixels.buffer] : []) },
);
