// SPDX-License-Identifier: Apache-2.0
// What the module exposes, what it asks for, what it costs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { listed, load, readModule, readText, vectors, base64, hex } from './core.mjs';
import { loadCore } from '../../wasm/driver.mjs';

test('the module imports nothing that imports.txt does not list', async () => {
  const module = await WebAssembly.compile(await readModule());
  const imports = WebAssembly.Module.imports(module).map((i) => `${i.module}.${i.name}`);
  const allowed = await listed('wasm/imports.txt');
  assert.deepEqual(imports.filter((name) => !allowed.includes(name)), []);
  assert.deepEqual(allowed.filter((name) => !imports.includes(name)), [], 'no longer needed');
});

test('the module exports exports.txt and what every module has', async () => {
  const module = await WebAssembly.compile(await readModule());
  const exports = WebAssembly.Module.exports(module).map((e) => e.name);
  const expected = await listed('wasm/exports.txt');
  assert.deepEqual(expected.filter((name) => !exports.includes(name)), []);
  const own = exports.filter((name) => name.startsWith('dotkey_'));
  assert.deepEqual(own.filter((name) => !expected.includes(name)), []);
});

test('the driver calls every export and knows no other', async () => {
  const driver = await readText('wasm/driver.mjs');
  for (const name of await listed('wasm/exports.txt')) assert.ok(driver.includes(name), name);
});

test('the module stays below 250 KB compressed', async () => {
  const size = gzipSync(await readModule(), { level: 9 }).length;
  console.log(`# gzip: ${size} bytes`);
  assert.ok(size <= 250_000, `${size} bytes`);
});

test('the core compiles from a stream as it does from bytes', async () => {
  const response = new Response(await readModule(),
    { headers: { 'content-type': 'application/wasm' } });
  const core = await loadCore(Promise.resolve(response));
  const { keys } = await vectors('keys.json');
  assert.equal(core.parsePublicKey(keys[0].zbase32).key, keys[0].zbase32);
});

// Bounds with room for a slow and busy machine; the numbers themselves are printed.
test('the core is ready soon and verifies packets fast', async () => {
  const started = performance.now();
  const core = await load();
  const ready_ms = performance.now() - started;
  const [, packet] = await vectors('signed_packets.json');
  const payload = hex(packet.relay_payload);
  const runs = 1000;
  const from = performance.now();
  for (let i = 0; i < runs; ++i) core.verifyPayload(packet.key, payload);
  const per_second = Math.round(runs / ((performance.now() - from) / 1000));
  console.log(`# ready in ${ready_ms.toFixed(1)} ms, ${per_second} verifications a second`);
  assert.ok(ready_ms < 500, `${ready_ms} ms`);
  assert.ok(per_second > 600, `${per_second} a second`);
});

test('a result with any bytes is JSON', async () => {
  const core = await load();
  const seed = new Uint8Array(32).fill(7);
  const zone = '@ 300 TXT "\\000\\007\\"\\\\\\128\\237\\160\\128\\195\\188"';
  const { packet } = core.buildPacket(seed, 1, zone);
  const { records } = core.verifyPacket(base64(packet));
  assert.equal(records.length, 1);
  assert.equal(records[0].type, 'TXT');
});
