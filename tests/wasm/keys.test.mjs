// SPDX-License-Identifier: Apache-2.0
// Key files, phrases and zones through the module: the same vectors and files as the program's.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { base64, hex, load, vectors } from './core.mjs';

const core = await load();
const cheap = { passes: 1, memory_kib: 8 };
const usual = { passes: 3, memory_kib: 64 * 1024 };
const entropy = () => crypto.getRandomValues(new Uint8Array(40));
const toHex = (bytes) => Buffer.from(bytes).toString('hex');

test('phrases: words and seeds are those of other programs', async () => {
  const { phrases, other_spellings, rejected } = await vectors('recovery_phrases.json');
  for (const { seed, words } of phrases) assert.equal(core.phraseOf(hex(seed)).words, words);
  for (const { seed, words } of [...phrases, ...other_spellings]) {
    assert.equal(toHex(core.parsePhrase(words).seed), seed);
  }
  for (const { words, error, detail } of rejected) {
    const failure = core.parsePhrase(words);
    assert.equal(failure.error, error);
    if (detail) assert.equal(failure.detail, detail);
  }
});

test('key files: a sealed seed opens with its passphrase alone', () => {
  const seed = new Uint8Array(32).fill(7);
  const { file } = core.sealKey(seed, 'größer als 8', cheap, entropy());
  assert.ok(!file.includes(toHex(seed)));
  assert.deepEqual(core.readKeyFile(file), { key: core.publicKeyOf(seed).key, locked: true });
  assert.equal(core.openKeyFile(file, 'grosser als 8').error, 'crypto.decryption_failed');
  assert.deepEqual(core.openKeyFile(file, 'größer als 8').seed, seed);
});

test('key files: pkarr\'s hexadecimal secret is one', () => {
  const text = `${'ab'.repeat(32)}\n`;
  assert.equal(core.readKeyFile(text).locked, false);
  assert.equal(toHex(core.openKeyFile(text, '').seed), 'ab'.repeat(32));
  assert.equal(core.readKeyFile('hello').error, 'keystore.malformed');
});

test('key files: the cost that people get fits into the module\'s memory', async () => {
  const fresh = await load();
  const seed = new Uint8Array(32).fill(9);
  const from = performance.now();
  const { file } = fresh.sealKey(seed, 'correct horse', usual, entropy());
  console.log(`# sealed in ${(performance.now() - from).toFixed(0)} ms`);
  assert.deepEqual(fresh.openKeyFile(file, 'correct horse').seed, seed);
});

test('a key file that was opened leaves no seed in the memory of the module', async () => {
  const instantiate = WebAssembly.instantiate;
  let memory;
  WebAssembly.instantiate = async (...given) => {
    const done = await instantiate(...given);
    ({ memory } = done.instance.exports);
    return done;
  };
  const fresh = await load();
  WebAssembly.instantiate = instantiate;
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const holdsSeed = () => Buffer.from(memory.buffer).includes(Buffer.from(seed));
  const { file } = fresh.sealKey(seed, 'p', cheap, entropy());
  assert.deepEqual(fresh.openKeyFile(file, 'p').seed, seed);
  fresh.buildPacket(seed, 1, '@ 300 A 192.0.2.1');
  assert.equal(holdsSeed(), false);
});

test('zones: records are read as a packet would hold them, with their size', async () => {
  for (const item of await vectors('signed_packets.json')) {
    const zone = item.records.join('\n');
    const { records, size, size_max } = core.readZone(item.key, zone);
    const packet = core.verifyPayload(item.key, hex(item.relay_payload));
    assert.deepEqual(records, packet.records, item.name);
    assert.equal(size, packet.size - 104);
    assert.equal(size_max, 1000);
  }
});

test('zones: one that is too large is measured all the same', () => {
  const { key } = core.publicKeyOf(new Uint8Array(32).fill(1));
  const zone = `@ 300 TXT ${Array(6).fill(`"${'x'.repeat(250)}"`).join(' ')}`;
  assert.ok(core.readZone(key, zone).size > 1000);
  assert.equal(core.buildPacket(new Uint8Array(32).fill(1), 1, zone).error, 'record.too_large');
});

test('zones: a packet gives the zone that it was built from', () => {
  const seed = new Uint8Array(32).fill(1);
  const { key } = core.publicKeyOf(seed);
  const packet = base64(core.buildPacket(seed, 1, '@ 300 A 192.0.2.1\nwww 60 TXT "a b"').packet);
  const { zone } = core.zoneOf(packet);
  assert.deepEqual(core.readZone(key, zone).records, core.verifyPacket(packet).records);
});

test('records: one line is read alone, or refused with its place', () => {
  const { key } = core.publicKeyOf(new Uint8Array(32).fill(1));
  assert.deepEqual(core.readRecord(key, 'www 300 A 192.0.2.1').records,
    [{ name: `www.${key}`, ttl: 300, type: 'A', data: '192.0.2.1' }]);
  const failure = core.readRecord(key, 'www 300 A 192.0.2');
  assert.equal(failure.error, 'zone.syntax');
  assert.match(failure.detail, /^line 1, column /);
});
