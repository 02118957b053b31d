// SPDX-License-Identifier: Apache-2.0
// How long a key of the browser's own stays unlocked.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { alarms, storage } from './memory.mjs';
import { KeyRing, lockAlarm } from '../../extension-common/background/key-ring.js';
import { load } from '../wasm/core.mjs';

const minuteMs = 60_000;
let nowMs, lockAfterMs, ring;
const lockedOf = async () => (await ring.list()).map(({ locked }) => locked);

beforeEach(async () => {
  await storage.local.clear();
  await storage.session.clear();
  alarms.clear();
  [nowMs, lockAfterMs] = [1_000_000, 480 * minuteMs];
  ring = new KeyRing({ loadCore: load, lockAfterMs: async () => lockAfterMs, nowMs: () => nowMs });
  assert.equal((await ring.make('home', 'a passphrase')).error, undefined);
});

test('a shorter time reaches keys that are unlocked already', async () => {
  assert.deepEqual(alarms.get(lockAlarm), { when: nowMs + 480 * minuteMs });
  lockAfterMs = 5 * minuteMs;
  nowMs += minuteMs;
  await ring.shorten();
  assert.deepEqual(alarms.get(lockAlarm), { when: nowMs + 5 * minuteMs });
  nowMs += 5 * minuteMs - 1;
  assert.deepEqual(await lockedOf(), [false]);
  nowMs += 1;
  await ring.lockExpired();
  assert.deepEqual(await lockedOf(), [true]);
  assert.deepEqual(await storage.session.get('seeds'), { seeds: {} });
});

test('a longer time gives nothing more to keys that are unlocked already', async () => {
  const { when } = alarms.get(lockAlarm);
  lockAfterMs *= 2;
  nowMs += minuteMs;
  await ring.shorten();
  assert.deepEqual(alarms.get(lockAlarm), { when });
});
