// SPDX-License-Identifier: Apache-2.0
// Which parts of a page Firefox shows without a look at their certificate of their own.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Sightings } from '../../extension-common/background/sightings.js';

const site = { host: 'a.key', port: 443 };
let sightings;

beforeEach(() => {
  sightings = new Sightings();
  sightings.note(site, 4001);
});

test('what was seen covers the same site by the same way', () => {
  assert.equal(sightings.covers({ ...site }, 4001), true);
});

test('another host, port or way is not covered', () => {
  assert.equal(sightings.covers({ host: 'www.a.key', port: 443 }, 4001), false);
  assert.equal(sightings.covers({ host: 'a.key', port: 8443 }, 4001), false);
  assert.equal(sightings.covers(site, 4002), false);
  assert.equal(sightings.covers(site, null), false);
});

test('what another certificate is expected of is to be looked at again', () => {
  sightings.forget({ ...site });
  assert.equal(sightings.covers(site, 4001), false);
});

test('a look at another way replaces it, and one at no way ends it', () => {
  sightings.note(site, 4002);
  assert.equal(sightings.covers(site, 4001), false);
  sightings.note(site, null);
  assert.equal(sightings.covers(site, 4002), false);
  assert.equal(sightings.covers(site, null), false);
});

test('nothing outlives the session', () => {
  sightings.clear();
  assert.equal(sightings.covers(site, 4001), false);
});

test('of many sites the latest two hundred are kept', () => {
  for (let i = 0; i < 200; i++) sightings.note({ host: `${i}.key`, port: 443 }, 4001);
  assert.equal(sightings.covers(site, 4001), false);
  assert.equal(sightings.covers({ host: '0.key', port: 443 }, 4001), true);
});
