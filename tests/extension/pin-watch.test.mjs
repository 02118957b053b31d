// SPDX-License-Identifier: Apache-2.0
// A person checks the pins of a stranger's key against a host: what stays behind of that. With the
// real core, and certificates of OpenSSL's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';

import { load } from '../wasm/core.mjs';

const host = 'www.example.com';
const folder = mkdtempSync(path.join(tmpdir(), 'dotkey-pins-'));
after(() => rmSync(folder, { recursive: true }));
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
  '-nodes', '-keyout', 'a.key', '-out', 'a.crt', '-days', '30', '-subj', '/CN=site', '-addext',
  `subjectAltName=DNS:${host}`], { cwd: folder, stdio: 'pipe' });
const leaf = new Uint8Array(new X509Certificate(readFileSync(path.join(folder, 'a.crt'))).raw);

let stored = {};
globalThis.browser = { storage: { session: {
  get: async (key) => structuredClone(key in stored ? { [key]: stored[key] } : {}),
  set: async (values) => { stored = { ...stored, ...structuredClone(values) }; },
} } };
const { PinWatch } = await import('../../extension-common/background/pin-watch.js');
const core = await load();

let pinWatch;
const page = (tabId) =>
  pinWatch.onChain({ tabId, url: `https://${host}/`, secure: true, chain: [leaf] });
beforeEach(() => {
  stored = {};
  pinWatch = new PinWatch({ core: async () => core });
  // The browser shows a connection's certificate before the request is answered.
  globalThis.fetch = async () => { await page(-1); };
});

/** What a person asks of a key that leads to the host with this pin. */
function question(number, pin) {
  const seed = new Uint8Array(32).fill(number);
  const zone = `@ 300 CNAME ${host}.\n_443._tcp 300 TLSA ${pin}`;
  const { packet } = core.buildPacket(seed, Date.now() * 1000, zone);
  return { host: `${core.publicKeyOf(seed).key}.key`, port: 443, route: { host, port: 443 },
    packets: [packet] };
}
const good = () => question(1, core.pinFor(leaf).record);
const wrong = () => question(2, `3 1 1 ${'ab'.repeat(32)}`);

test('pins that fit are compared with every page from then on', async () => {
  assert.equal((await pinWatch.check(good())).state, 'allowed');
  assert.equal((await page(1)).state, 'allowed');
});

test('a key whose pins do not fit blocks nothing of a host that is not its own', async () => {
  assert.deepEqual(await pinWatch.check(wrong()), { state: 'denied', slug: 'pin.mismatch' });
  assert.equal(await page(1), null);
});

test('nor does it take the place of pins that fit', async () => {
  await pinWatch.check(good());
  assert.equal((await pinWatch.check(wrong())).state, 'denied');
  assert.equal((await page(1)).state, 'allowed');
});

test('a page that loads during the check is not touched by it', async () => {
  let shown;
  globalThis.fetch = async () => {
    shown = await page(1);
    await page(-1);
  };
  assert.equal((await pinWatch.check(wrong())).state, 'denied');
  assert.equal(shown, null);
});
