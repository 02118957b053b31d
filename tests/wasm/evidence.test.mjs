// SPDX-License-Identifier: Apache-2.0
// A daemon shows evidence; each way in which it could lie is denied.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { base64, hex, load, vectors } from './core.mjs';

const core = await load();
const { certificates } = await vectors('certificates/facts.json');
const { now_s } = await vectors('certificates/decisions.json');
const certificate = (name) => hex(certificates.find((c) => c.name === name).der);

const site = 'www.example.com';  // what leaf_site names
const seed = new Uint8Array(32).fill(1);
const otherSeed = new Uint8Array(32).fill(2);
const { key } = core.publicKeyOf(seed);
const other = core.publicKeyOf(otherSeed);
const pin = core.pinFor(certificate('leaf_site')).record;
const sign = (zone, from = seed, timestamp = 1_700_000_000_000_000) =>
  base64(core.buildPacket(from, timestamp, zone).packet);

const zone = `@ 300 HTTPS 1 ${site}.\n_443._tcp 300 TLSA ${pin}`;
const honest = (changes = {}) => ({
  host: `${key}.key`,
  port: 443,
  route: { host: site, port: 443 },
  packets: [sign(zone)],
  chain: [certificate('leaf_site')],
  now_s,
  ...changes,
});

test('honest evidence is allowed, and says by which pin and on which way', () => {
  const finding = core.decide(honest());
  assert.equal(finding.verdict, 'pin.allow_by_tlsa_ee');
  assert.equal(finding.allowed, true);
  assert.equal(finding.key, key);
  assert.deepEqual(finding.pins, { key, name: `_443._tcp.${key}.`, records: [pin] });
  assert.equal(finding.endpoint.server_name, site);
  assert.equal(finding.packets[0].records.length, 2);
});

test('a forged packet is denied', () => {
  const forged = sign(zone);
  forged[forged.length - 1] ^= 1;
  const finding = core.decide(honest({ packets: [forged] }));
  assert.equal(finding.error, 'record.signature_invalid');
  assert.equal(finding.allowed, undefined);
});

test('a packet of another key is denied', () => {
  const finding = core.decide(honest({ packets: [sign(zone, otherSeed)] }));
  assert.equal(finding.error, 'evidence.packet_missing');
});

test('another certificate than the pinned one is denied', () => {
  const finding = core.decide(honest({ chain: [certificate('leaf_rsa')] }));
  assert.equal(finding.verdict, 'pin.mismatch');
  assert.equal(finding.allowed, false);
});

test('no certificate is denied', () => {
  assert.equal(core.decide(honest({ chain: [] })).verdict, 'pin.no_certificate');
});

test('a way that the key does not publish is denied', () => {
  const elsewhere = { host: 'evil.example', port: 443 };
  assert.equal(core.decide(honest({ route: elsewhere })).error, 'evidence.route_unpublished');
  const port = { host: site, port: 8443 };
  assert.equal(core.decide(honest({ route: port })).error, 'evidence.route_unpublished');
});

test('a pin for another port does not count', () => {
  const packets = [sign(`@ 300 HTTPS 1 ${site}.\n_8443._tcp 300 TLSA ${pin}`)];
  assert.equal(core.decide(honest({ packets })).verdict, 'pin.no_records');
});

test('of two packets of a key the newer counts', () => {
  const newer = sign(`@ 300 HTTPS 1 ${site}.\n_443._tcp 300 TLSA 3 1 1 ${'00'.repeat(32)}`,
    seed, 1_700_000_000_000_001);
  for (const packets of [[sign(zone), newer], [newer, sign(zone)]]) {
    assert.equal(core.decide(honest({ packets })).verdict, 'pin.mismatch');
  }
});

test('a way over a second key is followed, and its packet must be shown', () => {
  const packets = [
    sign(`@ 300 HTTPS 0 ${other.key}.`),
    sign(`@ 300 HTTPS 1 ${site}.\n_443._tcp 300 TLSA ${pin}`, otherSeed),
  ];
  assert.equal(core.decide(honest({ packets })).allowed, true);
  assert.equal(core.decide(honest({ packets: packets.slice(0, 1) })).error,
    'evidence.route_unpublished');
});

test('a host that is no key is denied', () => {
  assert.equal(core.decide(honest({ host: 'example.com' })).error, 'hostname.malformed');
});

test('more packets than a page can need are denied', () => {
  const packets = Array.from({ length: 17 }, () => sign(zone));
  assert.equal(core.decide(honest({ packets })).error, 'evidence.oversized');
});
