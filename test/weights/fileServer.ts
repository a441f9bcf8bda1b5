/** A web server of one file on 127.0.0.1 that can misbehave as networks do. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface FileServerSettings {
  bytes: Uint8Array;
  /** Whether parts of the file are served. Default true. */
  ranges?: boolean;
  etag?: string;
  /** What to answer in place of the file: a status, or a page. */
  status?: number;
  /** The connection breaks after so many bytes of an answer; one entry an answer, the last for all. */
  cutAfter?: (number | undefined)[];
  /** Milliseconds between pieces of 16 KiB. Default 0. */
  pace?: number;
  /** Bytes of bodies, over all requests, after which nothing more is sent and no connection ends. */
  stallAfter?: number;
  /** Without a length, so that the client cannot tell a short answer. */
  chunked?: boolean;
}

export interface FileServer extends AsyncDisposable {
  /** http://127.0.0.1:port */
  url: string;
  /** The requests so far: path and range. */
  requests: { path: string; range: string | undefined }[];
  /** Bytes of bodies sent so far. */
  sent: number;
  settings: FileServerSettings;
}

const pieceBytes = 2 ** 14;

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

export async function serveFile(settings: FileServerSettings): Promise<FileServer> {
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  const state: Omit<FileServer, typeof Symbol.asyncDispose> = {
    url: '',
    requests: [],
    sent: 0,
    settings,
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { bytes, ranges = true, etag, status, cutAfter = [], pace = 0, chunked } = state.settings;
    const { stallAfter = Number.POSITIVE_INFINITY } = state.settings;
    const { range } = request.headers;
    const cut = cutAfter[Math.min(state.requests.length, cutAfter.length - 1)];
    state.requests.push({ path: request.url ?? '', range });
    if (status !== undefined) {
      response.writeHead(status).end('<html>no</html>');
      return;
    }
    const condition = request.headers['if-range'];
    const wanted = ranges && (condition === undefined || condition === etag) ? range : undefined;
    const start = Number(/^bytes=(\d+)-$/.exec(wanted ?? '')?.[1] ?? 0);
    const headers: Record<string, string | number> = etag ? { etag } : {};
    if (wanted !== undefined && start >= bytes.length) {
      response.writeHead(416, { ...headers, 'content-range': `bytes */${bytes.length}` }).end();
      return;
    }
    const body = bytes.subarray(start);
    if (!chunked) headers['content-length'] = body.length;
    if (wanted !== undefined) {
      headers['content-range'] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    }
    response.writeHead(wanted === undefined ? 200 : 206, headers);
    response.flushHeaders();
    const end = Math.min(body.length, cut ?? body.length);
    for (let at = 0; at < end && !response.destroyed; at += pieceBytes) {
      if (state.sent >= stallAfter) await once(response, 'close');
      if (response.destroyed) return;
      const piece = body.subarray(at, Math.min(end, at + pieceBytes));
      await new Promise<void>((resolve) => response.write(piece, () => resolve()));
      state.sent += piece.length;
      if (pace > 0) await wait(pace);
    }
    // A while, so that what was written arrives before the connection breaks.
    if (cut === undefined) response.end();
    else await wait(20).then(() => response.destroy());
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  state.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return Object.assign(state, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close').catch(() => undefined);
    },
  });
}
