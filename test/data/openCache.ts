/** Opens the cache of a folder in a process of its own; prints how many images it decoded and a hash of all pixels. */
import { createHash } from 'node:crypto';
import { ImageStore } from '../../src/data/images/imageStore.ts';
import { openDataSet, parseDataArgument } from '../../src/data/index.ts';

const [root = '', cacheFolder = ''] = process.argv.slice(2);
const dataset = await openDataSet(parseDataArgument(`folder:${root}`), { cacheFolder });
let decoded = 0;
const store = await ImageStore.open(dataset, {
  resize: 32,
  workers: 0,
  onBadImage: 'error',
  cacheFolder,
  onProgress: () => {
    decoded++;
  },
});
const pixels = new Uint8Array(dataset.samples.length * store.bytesPerImage);
await store.read([...dataset.samples.keys()], pixels);
await store.close();
const digest = createHash('sha256').update(pixels).digest('hex');
process.stdout.write(JSON.stringify({ decoded, digest, notes: store.notes }));
