// A double of the node's web server for what a real node does not do on demand: hostile texts, 500
// masternodes, a connection that is cut, a refused key. It serves the page's own files with the
// node's headers, and a board that the test writes.

import { createServer } from 'node:http';
import { readFile, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../../daemon/web/page/', import.meta.url));
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export class FakeServer {
  board = new Map();
  dated = true; // false: no Date header, so that the page takes the browser's clock
  refuse = 0; // a status for /api/stream in place of the stream
  streams = new Set();

  static async start(board = new Map()) {
    const fake = new FakeServer();
    fake.board = board;
    fake.files = new Map();
    for (const name of await readdir(PAGE))
      fake.files.set(`/${name}`, await readFile(join(PAGE, name)));
    fake.files.set('/', fake.files.get('/index.html'));
    fake.server = createServer((request, response) => fake.#answer(request, response));
    await new Promise((ready) => fake.server.listen(0, '127.0.0.1', ready));
    fake.url = `http://127.0.0.1:${fake.server.address().port}/`;
    return fake;
  }

  #answer(request, response) {
    response.sendDate = this.dated;
    response.setHeader('Content-Security-Policy', POLICY);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('Cache-Control', 'no-store');
    if (request.method !== 'GET') return response.writeHead(405).end();
    if (request.url === '/api/stream') return this.#stream(response);
    const file = this.files.get(request.url);
    if (!file) return response.writeHead(404).end();
    response.setHeader('Content-Type', TYPES[extname(request.url)] ?? TYPES['.html']);
    return response.end(file);
  }

  #stream(response) {
    if (this.refuse) return response.writeHead(this.refuse).end();
    response.setHeader('Content-Type', 'text/event-stream');
    for (const [key, value] of this.board) response.write(put(key, value));
    response.write('event: ready\ndata: {}\n\n');
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
    return undefined;
  }

  put(key, value) {
    this.board.set(key, value);
    for (const stream of this.streams) stream.write(put(key, value));
  }
  drop(key) {
    this.board.delete(key);
    for (const stream of this.streams)
      stream.write(`event: drop\ndata: ${JSON.stringify({ key })}\n\n`);
  }
  cut() {
    for (const stream of this.streams) stream.destroy();
  }
  async stop() {
    this.cut();
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

const put = (key, value) => `event: put\ndata: ${JSON.stringify({ key, value })}\n\n`;
