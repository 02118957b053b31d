// SPDX-License-Identifier: Apache-2.0
// A native host for tests of the extension alone: says what a script tells it to, lies included.
// argv: the script (JSON), the log to append to. For each CONNECT it shows the evidence scripted
// for the host, and then does as the verdict says, or opens the page in spite of it.
import { appendFileSync, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const [scriptPath, logPath] = process.argv.slice(2);
const script = JSON.parse(readFileSync(scriptPath, 'utf8'));
const log = (entry) => appendFileSync(logPath, `${JSON.stringify(entry)}\n`);

function send(message) {
  const text = Buffer.from(JSON.stringify({ v: 1, ...message }));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(text.length);
  process.stdout.write(Buffer.concat([size, text]));
}

const waiting = new Map();
let nextRequest = 1;

function askFor({ route, packets, chain, body = {} }, host, port) {
  return new Promise((resolve) => {
    const request_id = nextRequest++;
    waiting.set(request_id, resolve);
    send({ id: 0, op: 'evidence', body: {
      request_id, host, port, route, packets, chain, source: 'dht', age_s: 12, ...body } });
  });
}

// Hosts that somebody asked for /turn: from then on their evidence is another.
const turned = new Set();
const siteAt = (host) => (turned.has(host) ? script.sites[host].later : script.sites[host]);

const page = `<!doctype html><title>Site of a key</title><h1>Hello from a key</h1>
<script>fetch('/script-ran')</script>`;
const leaf = { key: script.leaf_key, cert: script.leaf };
const site = https.createServer(leaf, (request, response) => {
  const { host } = request.headers;
  log({ request: request.url, host });
  if (script.sites[host].later !== undefined) response.setHeader('connection', 'close');
  if (request.url === '/turn') turned.add(host);
  response.setHeader('content-type', 'text/html');
  response.end(page);
});

const proxy = http.createServer((request, response) => {
  log({ plain: request.url });
  response.writeHead(502).end();
});
proxy.on('connect', async (request, socket, head) => {
  socket.on('error', () => {});
  const [host, port] = request.url.split(':');
  const scripted = siteAt(host);
  log({ connect: request.url });
  if (scripted === undefined) return socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  const verdict = scripted.silent ? { allow: true }
    : await askFor(scripted, host, Number(port));
  log({ host, verdict });
  if (!verdict.allow && !scripted.ignores_verdict) {
    return socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  }
  socket.write('HTTP/1.1 200 OK\r\n\r\n');
  if (head.length > 0) socket.unshift(head);
  site.emit('connection', socket);
});

function onMessage({ id, op, body }) {
  if (op === 'hello') {
    log({ hello: body, pid: process.pid });
    send({ id, op, body: { version: '0.1.0-test', proxy_port: proxy.address().port,
      ca_sha256: script.ca_sha256, ...script.hello } });
    for (const message of script.noise) send(message);
  } else if (op === 'verdict') {
    waiting.get(body.request_id)?.(body);
    waiting.delete(body.request_id);
  }
}

let input = Buffer.alloc(0);
process.stdin.on('data', (data) => {
  input = Buffer.concat([input, data]);
  while (input.length >= 4 && input.length >= 4 + input.readUInt32LE()) {
    const size = input.readUInt32LE();
    onMessage(JSON.parse(input.subarray(4, 4 + size)));
    input = input.subarray(4 + size);
  }
});
process.stdin.on('end', () => process.exit(0));
await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
