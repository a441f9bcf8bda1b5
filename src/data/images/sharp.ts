/** sharp as the decoding threads need it: they are the parallelism, and they keep no file. */
import sharp from 'sharp';

sharp.cache(false);
sharp.concurrency(1);

export { sharp };
