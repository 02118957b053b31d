// SPDX-License-Identifier: Apache-2.0
// A site that does what applications do: posts, downloads, WebSockets, a service worker. Its page
// tries all of it and writes down how it went.
import { createHash } from 'node:crypto';

const downloadSize = 50 * 1024 * 1024;
const postSize = 3 * 1024 * 1024;
const silenceMs = 16_000;  // more than any time that the proxy gives a connection to begin

const script = `
async function readAll(response) {
  let size = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
  }
  return size;
}
function talk(silenceMs) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket('wss://' + location.host + '/socket');
    socket.onopen = () => setTimeout(() => socket.send('hello'), silenceMs);
    socket.onmessage = ({ data }) => { resolve(data); socket.close(); };
    socket.onerror = () => reject(new Error('the WebSocket failed'));
  });
}
async function work() {
  const { serviceWorker } = navigator;
  await serviceWorker.register('/worker.js');
  await serviceWorker.ready;
  if (!serviceWorker.controller) {
    await new Promise((resolve) => { serviceWorker.oncontrollerchange = resolve; });
  }
  return (await fetch('/answered-by-worker')).text();
}
async function all() {
  const body = 'x'.repeat(${postSize});
  const later = talk(${silenceMs});
  return {
    protocol: performance.getEntriesByType('navigation')[0].nextHopProtocol,
    posted: await (await fetch('/post', { method: 'POST', body })).text(),
    downloaded: await readAll(await fetch('/download')),
    many: (await Promise.all(Array.from({ length: 30 },
      (_, i) => fetch('/small/' + i).then((r) => r.text())))).join(),
    socket: await talk(0),
    worker: await work(),
    later: await later,
  };
}
all().then(JSON.stringify, String).then((text) => { document.body.dataset.outcome = text; });
`;

const worker = `
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  if (event.request.url.endsWith('/answered-by-worker')) {
    event.respondWith(new Response('from the worker'));
  }
});`;

export const expected = {
  protocol: 'h2', posted: String(postSize), downloaded: downloadSize,
  many: Array.from({ length: 30 }, (_, i) => `small ${i}`).join(), socket: 'echo hello',
  worker: 'from the worker', later: 'echo hello',
};

async function sizeOf(request) {
  let size = 0;
  for await (const part of request) size += part.length;
  return size;
}

/** For Site.listen(): takes over the requests of the application. */
export function answer(request, response) {
  const { url } = request;
  if (url === '/post') {
    sizeOf(request).then((size) => response.end(String(size)));
  } else if (url === '/download') {
    response.end(Buffer.alloc(downloadSize, 'd'));
  } else if (url.startsWith('/small/')) {
    response.end(`small ${url.slice('/small/'.length)}`);
  } else if (url === '/worker.js') {
    response.setHeader('content-type', 'text/javascript');
    response.end(worker);
  } else if (url === '/') {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>Application</title><body><script>${script}</script>`);
  } else {
    return false;
  }
  return true;
}

const handshakeGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';  // RFC 6455 §1.3

/** One text frame of less than 126 bytes (RFC 6455 §5.2); what comes from a browser is masked. */
function readFrame(data) {
  const size = data[1] & 0x7f;
  const mask = data.subarray(2, 6);
  return Buffer.from(data.subarray(6, 6 + size)).map((byte, i) => byte ^ mask[i % 4]).toString();
}

/** A WebSocket that echoes, on a server that speaks HTTP/1.1 too. */
export function serveSocket(server) {
  server.on('upgrade', (request, socket) => {
    const key = createHash('sha1').update(request.headers['sec-websocket-key'] + handshakeGuid);
    socket.write(['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${key.digest('base64')}`, '', ''].join('\r\n'));
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if ((data[0] & 0x0f) !== 1) return socket.end();
      const text = Buffer.from(`echo ${readFrame(data)}`);
      socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
    });
  });
}
