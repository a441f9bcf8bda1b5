/** The body of a thread that augments: it fills the memory that it shares with the caller. */
import { serve } from '../threads/serve.ts';
import { type AugmentRequest, augmentImages } from './augmentImages.ts';

serve<AugmentRequest, undefined>(
  (request) => {
    augmentImages(request);
    return undefined;
  },
  { atOnce: 1 },
);
