// SPDX-License-Identifier: Apache-2.0
// The extension's end of the session with the program, at a port that says what the test wants.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

let port;
class Port {
  sent = [];
  #listeners = { message: [], disconnect: [] };
  onMessage = { addListener: (listener) => this.#listeners.message.push(listener) };
  onDisconnect = { addListener: (listener) => this.#listeners.disconnect.push(listener) };
  disconnected = false;

  postMessage(message) { this.sent.push(message); }
  disconnect() { this.disconnected = true; }
  say(id, op, body) {
    for (const listener of this.#listeners.message) listener({ v: 1, id, op, body });
  }
  /** Whatever comes over the wire, well formed or not. */
  sayRaw(message) {
    for (const listener of this.#listeners.message) listener(message);
  }
  end() {
    for (const listener of this.#listeners.disconnect) listener();
  }
}

globalThis.chrome = { runtime: {
  connectNative: () => (port = new Port()),
  getURL: (path) => `chrome-extension://test/${path}`,
  getManifest: () => ({ version: '0.1.0' }),
} };
const { Session } = await import('../../extension-common/background/session.js');

const [first, second] = ['11', '22'].map((byte) => byte.repeat(32));
const hello = { version: '0.1.0', proxy_port: 4001, ca_sha256: first, http_keys: [] };
const turn = () => new Promise((resolve) => setImmediate(resolve));

let session, opened, seen;
beforeEach(() => {
  opened = [];
  seen = [];
  const note = (what) => (value, reply) => seen.push({ what, value, reply });
  session = new Session({
    onOpen: () => new Promise((resolve) => opened.push(resolve)),
    onClose: note('close'),
    onEvidence: note('evidence'),
    onRefusal: note('refusal'),
    onHttpKeys: note('http_keys'),
    onProbe: note('probe'),
    onProgress: note('progress'),
  });
  session.connect();
});

async function greet() {
  port.say(port.sent[0].id, 'hello', hello);
  await turn();
}

async function open() {
  await greet();
  opened[0]();
  await turn();
}

function end() {
  session.end('host.lost');
  // Or it would be tried again.
  session.connect = () => {};
}

test('it is ready once the gate is open, and not before', async () => {
  await greet();
  assert.equal(session.state, 'connecting');
  assert.equal(session.hello, null);
  opened[0]();
  await turn();
  assert.equal(session.state, 'ready');
  assert.equal(session.hello.proxyPort, 4001);
  end();
});

test('a new authority is known, also when it came while the gate was opening', async () => {
  await greet();
  port.say(0, 'ca', { ca_sha256: second });
  opened[0]();
  await turn();
  assert.equal(session.hello.caSha256, second);
  port.say(0, 'ca', { ca_sha256: first });
  assert.equal(session.hello.caSha256, first);
  end();
});

test('a session that ended while the gate was opening is not ready', async () => {
  await greet();
  port.end();
  opened[0]();
  await turn();
  assert.equal(session.state, 'lost');
  assert.equal(session.hello, null);
  end();
});

const malformed = [
  null, 'text', 7, [], {}, { v: 2, id: 0, op: 'refused', body: {} }, { v: 1, id: 0 },
  { v: 1, id: -1, op: 'evidence', body: {} }, { v: 1, id: 0, op: 'http_keys', body: null },
  { v: 1, id: 0, op: 'http_keys', body: { http_keys: 'all' } },
  { v: 1, id: 0, op: 'refused', body: { host: 7 } }, { v: 1, id: 0, op: 'ca', body: {} },
  { v: 1, id: 0, op: 'probe', body: { url: 'https://example.com/' } },
  { v: 1, id: 0, op: '__proto__', body: {} }, { v: 1, id: 99, op: 'verdict', body: {} },
];

test('messages that are none are dropped, and the session goes on', async () => {
  await open();
  for (const message of malformed) port.sayRaw(message);
  await turn();
  assert.deepEqual(seen, []);
  assert.equal(session.state, 'ready');
  assert.equal(session.hello.caSha256, first);
  end();
});

test('evidence that does not fit is denied, and its site refused', async () => {
  await open();
  const bodies = [{}, { host: 'a.key' }, { host: 'a.key', port: 443, packets: 'x', chain: [] },
    { host: 'a.key', port: -1, packets: [], chain: [], route: {}, source: 'dht', age_s: 1 }];
  for (const [i, body] of bodies.entries()) {
    port.say(0, 'evidence', { request_id: i, ...body });
    const { op, body: verdict } = port.sent.at(-1);
    assert.deepEqual({ op, verdict }, { op: 'verdict',
      verdict: { request_id: i, allow: false, slug: 'evidence.malformed' } });
  }
  // One of them said of what site it was.
  assert.deepEqual(seen.map(({ what, value }) => ({ what, value })), [{ what: 'refusal',
    value: { host: 'a.key', port: 443, slug: 'evidence.malformed', pinless: false } }]);
  end();
});

test('a greeting that does not fit ends the session', async () => {
  for (const body of [{}, { ...hello, proxy_port: 'none' }, { ...hello, proxy_port: 70000 }]) {
    session.end('host.lost');
    session.connect();
    port.say(port.sent[0].id, 'hello', body);
    await turn();
    assert.equal(session.state, 'lost', JSON.stringify(body));
    assert.equal(session.slug, 'host.incompatible');
    assert.equal(port.disconnected, true);
  }
  end();
});
