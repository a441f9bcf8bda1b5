/** The body of a decoding thread: answers each request with a resized image or the reason for none. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { BadImageError } from './badImage.ts';
import type { DecodeAnswer, DecodeRequest } from './decodePool.ts';
import { readResized } from './resizedImage.ts';

const port = parentPort;
if (!port) throw new Error('to be started as a worker thread');

async function answer(request: DecodeRequest): Promise<DecodeAnswer> {
  const { id, path, resize, maxPixels } = request;
  try {
    return { id, image: await readResized(path, resize, maxPixels) };
  } catch (error) {
    if (error instanceof BadImageError) return { id, bad: error.message };
    return { id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** Requests in order, two under way at once: a file is read while another is decoded. */
const waiting: DecodeRequest[] = [];
let underWay = 0;

function proceed(to: MessagePort): void {
  while (underWay < 2) {
    const request = waiting.shift();
    if (!request) return;
    underWay++;
    void answer(request).then((result) => {
      underWay--;
      to.postMessage(result, result.image ? [result.image.pixels.buffer] : []);
      proceed(to);
    });
  }
}

port.on('message', (request: DecodeRequest) => {
  waiting.push(request);
  proceed(port);
});
