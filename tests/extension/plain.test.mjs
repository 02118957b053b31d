// SPDX-License-Identifier: Apache-2.0
// http below `.key`: for whom it is offered, and what the program may make the extension open.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { keyOf } from '../../extension-common/lib/hosts.js';
import {
  Malformed, parseCa, parseHello, parseHttpKeys, parseProbe, parseRefusal,
} from '../../extension-common/lib/native-protocol.js';
import { isPlainOffered } from '../../extension-common/lib/plain-offer.js';

const key = 'tkrq8zmwb8a3m9k15csu3q17qmfgqnp9dskbrg9uq1rydpyxp7qy';

test('http is offered where a key has no pin and TLS came to nothing, and nowhere else', () => {
  const blocked = { allowed: false, port: 443 };
  const offered = [
    { ...blocked, slug: 'pin.no_records', pins: [] },
    { ...blocked, slug: 'site.unreachable', pinless: true },
    { ...blocked, slug: 'site.tls_failed', pinless: true },
  ];
  for (const site of offered) assert.ok(isPlainOffered(site), JSON.stringify(site));
  const refused = [
    null,
    { ...blocked, slug: 'pin.no_records', pins: ['3 1 1 ab'] },
    { ...blocked, slug: 'pin.no_records' },
    { ...blocked, slug: 'pin.mismatch', pins: [] },
    { ...blocked, slug: 'site.unreachable' },
    { ...blocked, slug: 'resolve.not_found', pinless: true },
    ...offered.map((site) => ({ ...site, allowed: true })),
    ...offered.map((site) => ({ ...site, port: 8443 })),
  ];
  for (const site of refused) assert.ok(!isPlainOffered(site), JSON.stringify(site));
});

test('the key of a host is the label before its TLD', () => {
  assert.equal(keyOf(`${key}.key`), key);
  assert.equal(keyOf(`a.b.${key}.KEY.`), key);
  for (const host of ['example.com', 'a.key', key, `${key}.key.example`, `x${key}.key`]) {
    assert.equal(keyOf(host), null, host);
  }
});

test('a probe opens the first page of a key and nothing else', () => {
  const url = `https://${key}.key/`;
  assert.deepEqual(parseProbe({ request_id: 3, url }), { requestId: 3, url });
  for (const other of ['https://example.com/', `http://${key}.key/`, `${url}path`, `${url}?a`,
    `https://user@${key}.key/`, `https://www.${key}.key/`, `https://${key}.key:8443/`,
    `https://${key}.key.example/`, `${url}\n`, 7]) {
    assert.throws(() => parseProbe({ request_id: 3, url: other }), Malformed, String(other));
  }
  assert.throws(() => parseProbe({ request_id: -1, url }), Malformed);
});

test('lists of keys, fingerprints and refusals are checked for form', () => {
  assert.deepEqual(parseHttpKeys({ http_keys: [key] }), [key]);
  assert.deepEqual(parseHttpKeys({}), []);
  for (const keys of ['text', [7], ['key'], [`${key}.key`], Array(4097).fill(key)]) {
    assert.throws(() => parseHttpKeys({ http_keys: keys }), Malformed);
  }
  const hello = { version: '0.1.0', proxy_port: 4000, http_keys: [key] };
  assert.deepEqual(parseHello(hello).httpKeys, [key]);
  assert.throws(() => parseHello({ ...hello, http_keys: ['*'] }), Malformed);
  assert.equal(parseCa({ ca_sha256: 'ab'.repeat(32) }), 'ab'.repeat(32));
  assert.throws(() => parseCa({ ca_sha256: 'AB' }), Malformed);
  const refusal = { host: `${key}.key`, port: 443, slug: 'site.unreachable' };
  assert.equal(parseRefusal(refusal).pinless, false);
  assert.equal(parseRefusal({ ...refusal, pinless: true }).pinless, true);
});
