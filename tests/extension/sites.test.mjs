// SPDX-License-Identifier: Apache-2.0
// What is remembered of sites, and what the program's refusals can do to it.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

let stored = {};
globalThis.browser = { storage: { session: {
  get: async (key) => structuredClone(key in stored ? { [key]: stored[key] } : {}),
  set: async (values) => { stored = { ...stored, ...structuredClone(values) }; },
} } };
const { Sites } = await import('../../extension-common/background/sites.js');

const where = { host: 'a.key', port: 443 };
const good = { ...where, allowed: true, slug: 'pin.allow', key: 'a', pins: ['3 1 1 ab'] };
const refusal = (host = 'a.key', slug = 'site.unreachable') =>
  ({ host, port: 443, slug, pinless: false });

let sites;
beforeEach(async () => {
  stored = {};
  sites = new Sites();
  await sites.put(good);
});

test('a refusal is shown, and the verdict stands', async () => {
  await sites.refuse(refusal());
  assert.deepEqual(sites.get(where), good);
  assert.deepEqual(sites.describe(where),
    { ...good, allowed: false, slug: 'site.unreachable', pinless: false });
});

test('a page that loads again, or a new verdict, ends a refusal', async () => {
  await sites.refuse(refusal());
  await sites.noteOpen(where);
  assert.deepEqual(sites.describe(where), good);
  await sites.refuse(refusal());
  await sites.put({ ...good, checkedMs: 1 });
  assert.deepEqual(sites.describe(where), { ...good, checkedMs: 1 });
});

test('a verdict that denies is not covered by a refusal', async () => {
  const denied = { ...good, allowed: false, slug: 'pin.mismatch' };
  await sites.put(denied);
  await sites.refuse(refusal());
  assert.deepEqual(sites.describe(where), denied);
});

test('of a site that was only refused there is no verdict', async () => {
  await sites.refuse(refusal('b.key'));
  assert.equal(sites.get({ host: 'b.key', port: 443 }), null);
  assert.equal(sites.describe({ host: 'b.key', port: 443 }).slug, 'site.unreachable');
  assert.equal(sites.describe({ host: 'b.key', port: 444 }), null);
});

test('no number of refusals takes a verdict away', async () => {
  for (let i = 0; i < 1000; ++i) await sites.refuse(refusal(`${i}.key`));
  assert.deepEqual(sites.get(where), good);
  assert.equal(stored.refusals.length, 200);
  assert.equal(sites.describe({ host: '799.key', port: 443 }), null);
  assert.equal(sites.describe({ host: '800.key', port: 443 }).slug, 'site.unreachable');
});

test('both outlive the script', async () => {
  await sites.refuse(refusal());
  const next = new Sites();
  await next.load();
  assert.deepEqual(next.get(where), good);
  assert.equal(next.describe(where).slug, 'site.unreachable');
  await next.noteOpen(where);
  assert.deepEqual(stored.refusals, []);
});
