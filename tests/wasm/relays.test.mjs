// SPDX-License-Identifier: Apache-2.0
// The node over relays: the core decides, relays.mjs fetches. Relays here are functions; the real
// one is in tests/e2e/browser.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { base64, load } from './core.mjs';
import { RelayNode } from '../../wasm/relays.mjs';

const seed = new Uint8Array(32).fill(5);
const reader = await load();
const { key } = reader.publicKeyOf(seed);
const sign = (timestamp, zone = '@ 300 A 192.0.2.1', from = seed) =>
  base64(reader.buildPacket(from, timestamp, zone).packet);
const nowUs = () => Date.now() * 1000;

/** Relays that hold packets by key, each with its faults. */
class Relays {
  asked = [];
  held = new Map();
  faults = {};

  fetch = async (url, options) => {
    const { origin, pathname } = new URL(url);
    this.asked.push(`${options.method} ${url}`);
    const fault = this.faults[origin];
    if (fault) return fault(options);
    const name = `${origin}${pathname}`;
    if (options.method === 'GET') {
      const body = this.held.get(name);
      return body ? new Response(body, { status: 200 }) : new Response(null, { status: 404 });
    }
    const condition = options.headers['If-Match'];
    const before = this.held.get(name);
    const timestamp = (payload) =>
      new DataView(payload.buffer, payload.byteOffset).getBigUint64(64);
    if (condition && before && String(timestamp(before)) !== condition) {
      return new Response(null, { status: 412 });
    }
    if (before && timestamp(before) > timestamp(options.body)) {
      return new Response(null, { status: 409 });
    }
    this.held.set(name, Uint8Array.from(options.body));
    return new Response(null, { status: 204 });
  };
}

const urls = ['https://one.example', 'https://two.example'];

// Their timers would keep the test alive.
const started = [];
after(() => { for (const node of started) node.stop(); });

async function start(relays, chosen = urls) {
  const kept = { rows: new Map(), adopted: [] };
  const node = new RelayNode(await load(), {
    saveRow: (of, row) => kept.rows.set(of, row),
    dropRow: (of) => kept.rows.delete(of),
    adopted: (found) => kept.adopted.push(found),
  }, { fetch: relays.fetch });
  started.push(node);
  assert.equal(node.start(chosen).error, undefined);
  return { node, kept };
}

test('a failure comes with its advice', async () => {
  const { node } = await start(new Relays());
  const { error, advice } = await node.resolve(key, 'newest');
  assert.equal(error, 'resolve.not_found');
  assert.equal(advice, reader.adviceFor(error));
});

test('what is published is found again, whole', async () => {
  const relays = new Relays();
  const { node, kept } = await start(relays);
  const packet = sign(nowUs());
  const published = await node.publish(packet, null);
  assert.equal(published.error, undefined);
  assert.deepEqual(published.relays.map(({ verdict }) => verdict), ['stored', 'stored']);
  assert.deepEqual([...kept.rows.keys()], [key]);
  const other = await start(relays);
  const { found, source } = await other.node.resolve(key, 'newest');
  assert.deepEqual(base64(found.canonical), packet);
  assert.equal(found.packet.records[0].data, '192.0.2.1');
  assert.equal(source, 'relay');
});

test('of two relays the newer packet wins', async () => {
  const relays = new Relays();
  const [old, recent] = [sign(1_000_000), sign(2_000_000)];
  relays.held.set(`${urls[0]}/${key}`, old.slice(32));
  relays.held.set(`${urls[1]}/${key}`, recent.slice(32));
  const { node } = await start(relays);
  const { found } = await node.resolve(key, 'newest');
  assert.deepEqual(base64(found.canonical), recent);
});

test('a packet of another key, or one changed on its way, is no answer', async () => {
  const relays = new Relays();
  const foreign = sign(nowUs(), '@ 300 A 192.0.2.6', new Uint8Array(32).fill(6));
  const forged = sign(nowUs());
  forged[150] ^= 1;
  relays.held.set(`${urls[0]}/${key}`, foreign.slice(32));
  relays.held.set(`${urls[1]}/${key}`, forged.slice(32));
  const { node } = await start(relays);
  const answer = await node.resolve(key, 'newest');
  assert.equal(answer.found, undefined);
  assert.equal(answer.error, 'relay.payload_invalid');
});

test('a relay that is down, slow or endless does not keep the other from answering', async () => {
  const endless = () => new Response(new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1024)),
  }));
  const down = () => { throw new TypeError('fetch failed'); };
  const redirect = () => new Response(null, { status: 302 });
  for (const fault of [endless, down, redirect]) {
    const relays = new Relays();
    relays.faults[urls[0]] = fault;
    const { node } = await start(relays);
    const published = await node.publish(sign(nowUs()), null);
    assert.equal(published.error, undefined);
    assert.deepEqual(published.relays.map(({ verdict }) => verdict).sort(), ['failed', 'stored']);
    assert.ok((await node.resolve(key, 'newest')).found);
  }
});

test('when no relay answers, publishing fails and says why', async () => {
  const relays = new Relays();
  for (const url of urls) relays.faults[url] = () => { throw new TypeError('fetch failed'); };
  const { node } = await start(relays, urls.slice(0, 1));
  const published = await node.publish(sign(nowUs()), null);
  assert.equal(published.error, 'relay.unreachable');
  assert.equal((await node.resolve(key, 'newest')).error, 'relay.unreachable');
});

test('what another device published meanwhile is a conflict, and is shown', async () => {
  const relays = new Relays();
  const base = nowUs();
  const { node } = await start(relays);
  await node.publish(sign(base), null);
  const theirs = sign(base + 1000, '@ 300 A 192.0.2.7');
  await (await start(relays)).node.publish(theirs, base);
  const outcome = await node.publish(sign(base + 2000), base);
  assert.equal(outcome.error, 'publish.conflict');
  assert.deepEqual(base64(outcome.theirs.canonical), theirs);
});

test('the way of a key to its server is followed over several keys', async () => {
  const relays = new Relays();
  const otherSeed = new Uint8Array(32).fill(6);
  const other = reader.publicKeyOf(otherSeed).key;
  const pin = `3 1 1 ${'ab'.repeat(32)}`;
  relays.held.set(`${urls[0]}/${key}`, sign(nowUs(), `@ 300 HTTPS 0 ${other}.`).slice(32));
  relays.held.set(`${urls[0]}/${other}`, sign(nowUs(),
    `@ 300 HTTPS 1 www.example.com. port=8443\n_8443._tcp 300 TLSA ${pin}`, otherSeed).slice(32));
  const { node } = await start(relays);
  const { endpoints, packets, trace, error } =
    await node.findEndpoints(`${key}.key`, 443, 'newest');
  assert.equal(error, undefined);
  assert.equal(endpoints[0].server_name, 'www.example.com');
  assert.equal(endpoints[0].port, 8443);
  assert.deepEqual(packets.map(({ packet }) => packet.key).sort(), [key, other].sort());
  assert.ok(trace.length > 0);
});

test('relays hear of the keys asked for and of nothing else', async () => {
  const relays = new Relays();
  const { node } = await start(relays);
  await node.resolve(key, 'newest');
  assert.deepEqual([...new Set(relays.asked.map((line) => line.split('?')[0]))],
    urls.map((url) => `GET ${url}/${key}`));
});

test('rows of an earlier life are republished when they fall due', async () => {
  const relays = new Relays();
  const first = await start(relays);
  await first.node.publish(sign(nowUs()), null);
  const row = base64(first.kept.rows.get(key));
  first.node.stop();
  relays.asked.length = 0;
  let ahead_us = 0;
  const later = new RelayNode(await load(), { saveRow() {}, dropRow() {}, adopted() {} }, {
    fetch: relays.fetch,
    now: () => ({ instant_us: Math.round(performance.now() * 1000) + ahead_us,
      unix_us: Date.now() * 1000 + ahead_us }),
  });
  later.start(urls);
  later.addRow(row);
  later.wake();
  assert.equal(relays.asked.length, 0);
  ahead_us = 3_600_000_000 * 1.2;
  later.wake();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(relays.asked.sort(), urls.map((url) => `PUT ${url}/${key}`));
  assert.equal(later.status().kept_alive[0].key, key);
  later.forget(key);
  assert.deepEqual(later.status().kept_alive, []);
  later.stop();
});

test('an address that is no relay is refused', async () => {
  const node = new RelayNode(await load(), {}, {});
  assert.equal(node.start(['ftp://example.com']).error, 'relay.url_malformed');
});
