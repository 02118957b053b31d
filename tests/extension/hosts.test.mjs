// SPDX-License-Identifier: Apache-2.0
// Which names the extension takes for its own, held against the core's vectors.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  addressOfBareKey, addressOfSearch, addressOfText, isBareKeyHost, isKeyHost, siteOf,
} from '../../extension-common/lib/hosts.js';
import { vectors } from '../wasm/core.mjs';

const file = await vectors('keys.json');
const { zbase32: key } = file.keys[0];

test('every host name of ours is ours, malformed ones too', () => {
  for (const { host } of [...file.hostnames, ...file.malformed_hostnames]) {
    if (/^[\x21-\x7e]+$/.test(host)) assert.equal(isKeyHost(host), true, host);
  }
  for (const host of file.foreign_hostnames) assert.equal(isKeyHost(host), false, host);
});

test('a bare key is known by its form', () => {
  for (const { host } of file.bare_hostnames) assert.equal(isBareKeyHost(host), true, host);
  for (const host of ['example.com', `${key}.com`, key.slice(1), '']) {
    assert.equal(isBareKeyHost(host), false, host);
  }
});

test('an address below .key has a site, with the port of https by default', () => {
  assert.deepEqual(siteOf(`https://WWW.${key}.key./a?b#c`), { host: `www.${key}.key`, port: 443 });
  assert.deepEqual(siteOf(`https://${key}.key:8443/`), { host: `${key}.key`, port: 8443 });
  assert.deepEqual(siteOf(`wss://${key}.key/socket`), { host: `${key}.key`, port: 443 });
  for (const url of ['https://example.com/', 'about:blank', `ftp://${key}.key/`, 'no address']) {
    assert.equal(siteOf(url), null, url);
  }
});

test('a bare key keeps its path on the way to its host', () => {
  assert.equal(addressOfBareKey(`http://a.${key}:8443/p?q#f`), `https://a.${key}.key:8443/p?q#f`);
  assert.equal(addressOfBareKey(`https://${key}.key/`), null);
});

test('what a person types becomes an address, or nothing', () => {
  for (const text of [key, `pk:${key}`, ` ${key}.key `, `https://${key.toUpperCase()}.key`]) {
    assert.equal(addressOfText(text), `https://${key}.key/`, text);
  }
  assert.equal(addressOfText(`sub.${key}.key/path`), `https://sub.${key}.key/path`);
  for (const text of ['', 'server.key', 'https://example.com/', `javascript:${key}`]) {
    assert.equal(addressOfText(text), null, text);
  }
});

test('only a search for a whole address counts as mistyped', () => {
  const search = (query) => `https://search.example/?q=${encodeURIComponent(query)}`;
  assert.equal(addressOfSearch(search(`${key}.key`)), `https://${key}.key/`);
  assert.equal(addressOfSearch(search(`https://${key}.key/x`)), `https://${key}.key/x`);
  for (const query of ['server.key', `what is ${key}.key`, key, '']) {
    assert.equal(addressOfSearch(search(query)), null, query);
  }
});
