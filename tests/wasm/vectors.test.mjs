// SPDX-License-Identifier: Apache-2.0
// The vectors that the native core passes, through the module and its driver.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { base64, hex, load, vectors } from './core.mjs';

const core = await load();

const associationHex = (text) => text.split(' ')[3];
const tlsaRdata = (text) => {
  const [usage, selector, matching] = text.split(' ', 3).map(Number);
  return new Uint8Array([usage, selector, matching, ...hex(associationHex(text))]);
};

test('keys: every spelling gives its canonical key', async () => {
  const file = await vectors('keys.json');
  for (const { zbase32, seed } of file.keys) {
    assert.equal(core.parsePublicKey(zbase32).key, zbase32);
    if (seed) assert.equal(core.publicKeyOf(hex(seed)).key, zbase32);
  }
  for (const spelling of file.aliases.spellings) {
    assert.equal(core.parsePublicKey(spelling).key, file.aliases.canonical);
  }
  const { zbase32 } = file.keys.find((k) => k.public_key === file.accepted.public_key);
  for (const spelling of file.accepted.spellings) {
    assert.equal(core.parsePublicKey(spelling).key, zbase32, spelling);
  }
});

test('keys: what is no key has its slug and advice', async () => {
  const { rejected, not_on_curve } = await vectors('keys.json');
  for (const { text, error } of rejected) {
    const result = core.parsePublicKey(text);
    assert.equal(result.error, error, text);
    assert.equal(core.adviceFor(error), result.advice);
    assert.ok(result.advice.length > 20);
  }
  for (const { zbase32 } of not_on_curve) {
    assert.equal(core.parsePublicKey(zbase32).error, 'key.not_on_curve');
  }
});

test('host names: ours, bare, malformed and foreign ones are told apart', async () => {
  const file = await vectors('keys.json');
  for (const { host, canonical, subdomain } of file.hostnames) {
    const result = core.classifyHostname(host);
    assert.deepEqual([result.ownership, result.host, result.subdomain],
      ['ours', canonical, subdomain], host);
  }
  for (const { host, error } of file.malformed_hostnames) {
    assert.deepEqual(core.classifyHostname(host), { ownership: 'malformed_ours', error });
  }
  for (const { host, canonical } of file.bare_hostnames) {
    const result = core.classifyHostname(host);
    assert.deepEqual([result.ownership, result.host], ['bare', canonical]);
  }
  for (const host of file.foreign_hostnames) {
    assert.notEqual(core.classifyHostname(host).ownership, 'ours', host);
    assert.notEqual(core.classifyHostname(host).ownership, 'malformed_ours', host);
  }
});

test('signed packets: each verifies and its records are read', async () => {
  for (const item of await vectors('signed_packets.json')) {
    const packet = core.verifyPayload(item.key, hex(item.relay_payload));
    assert.equal(packet.key, item.key, item.name);
    assert.equal(packet.timestamp_us, item.timestamp_us);
    assert.equal(packet.records.length, item.records.length);
  }
});

test('signed packets: building gives the same bytes', async () => {
  for (const item of await vectors('signed_packets.json')) {
    if (item.records.length === 0) continue;
    const { packet } = core.buildPacket(hex(item.seed), item.timestamp_us, item.records.join('\n'));
    assert.equal(Buffer.from(base64(packet)).subarray(32).toString('hex'), item.relay_payload,
      item.name);
  }
});

test('signed packets: any flipped bit is refused', async () => {
  const [, item] = await vectors('signed_packets.json');
  const payload = hex(item.relay_payload);
  for (let bit = 0; bit < payload.length * 8; bit += 13) {
    const changed = payload.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    assert.match(core.verifyPayload(item.key, changed).error, /^record\./);
  }
});

test('signed packets: another key does not verify', async () => {
  const [, item] = await vectors('signed_packets.json');
  const { keys } = await vectors('keys.json');
  const result = core.verifyPayload(keys[2].zbase32, hex(item.relay_payload));
  assert.equal(result.error, 'record.signature_invalid');
});

test('certificates: each has its SPKI, malformed ones have none', async () => {
  const file = await vectors('certificates/facts.json');
  for (const item of file.certificates) {
    assert.equal(core.pinFor(hex(item.der)).spki_sha256, item.spki_sha256, item.name);
  }
  for (const item of file.malformed) {
    assert.equal(core.pinFor(hex(item.der)).error, 'certificate.malformed', item.name);
  }
});

test('decisions: every vector gets its verdict', async () => {
  const facts = await vectors('certificates/facts.json');
  const all = [...facts.certificates, ...facts.malformed];
  const certificates = new Map(all.map((c) => [c.name, hex(c.der)]));
  const { cases, now_s } = await vectors('certificates/decisions.json');
  for (const item of cases) {
    const decision = core.decidePins({
      hosts: item.hosts,
      keys: item.keys.map(hex),
      records: item.records.map(tlsaRdata),
      chain: item.chain.map((name) => certificates.get(name)),
      now_s,
    });
    assert.equal(decision.verdict, item.verdict, item.name);
    assert.equal(decision.record_index, item.record, item.name);
    assert.equal(decision.allowed, item.verdict.startsWith('pin.allow_by_'), item.name);
  }
});
