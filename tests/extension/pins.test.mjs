// SPDX-License-Identifier: Apache-2.0
// When a change of certificate may end: once nobody can believe the old pins any more.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { storage } from './memory.mjs';
import { Publications } from '../../extension-common/background/publications.js';
import { stepOf } from '../../extension-common/editor/pins.js';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const key = 'k'.repeat(52);
let nowMs;

const backend = { newest: async () => ({ error: 'resolve.not_found' }),
  publish: async () => ({ relays: [], dht_nodes: 8 }), forget: async () => {} };
const publications = new Publications({ sign: async () => ({ packet: 'ours' }),
  backend: async () => backend, nowMs: () => nowMs });

/** → the time until which replaced pins may be believed */
async function publish(oldTtlS) {
  await publications.start({ custody: 'browser', name: 'home', key, zone: '', baseUs: 1, oldTtlS });
  await publications.idle();
  return (await publications.all())[key].oldUntilMs;
}

function stepAt(ttl, publishedMs, oldUntilMs) {
  const rows = ['1', '2'].map((hash) => ({ type: 'TLSA', ttl, values: { hash } }));
  return stepOf({ rows, isPublished: () => true, publishedMs, oldUntilMs, nowMs });
}

beforeEach(async () => {
  await storage.local.clear();
  await storage.session.clear();
  nowMs = 1_000_000_000;
});

test('the old pins are waited for, whatever the TTL of the new ones', async () => {
  const publishedMs = nowMs;
  const oldUntilMs = await publish(86_400);
  nowMs = publishedMs + 10 * minuteMs;
  assert.deepEqual(stepAt('60', publishedMs, oldUntilMs),
    { step: 'wait', knownMs: publishedMs + 2 * dayMs });
  nowMs = publishedMs + 2 * dayMs;
  assert.equal(stepAt('60', publishedMs, oldUntilMs).step, 'drop');
});

test('another publication meanwhile does not shorten the wait', async () => {
  const oldUntilMs = await publish(86_400);
  nowMs += minuteMs;
  assert.equal(await publish(60), oldUntilMs);
});

test('packets are remembered for five minutes at the least', async () => {
  const publishedMs = nowMs;
  const oldUntilMs = await publish(0);
  nowMs += 10 * minuteMs - 1;
  assert.equal(stepAt('1', publishedMs, oldUntilMs).step, 'wait');
  assert.equal(stepAt('1', publishedMs, 0).step, 'wait');
  nowMs += 1;
  assert.equal(stepAt('1', publishedMs, oldUntilMs).step, 'drop');
});

test('pins of a long TTL are waited for when another device published them', () => {
  const publishedMs = nowMs;
  nowMs += dayMs;
  assert.equal(stepAt('86400', publishedMs, 0).step, 'wait');
});
