// SPDX-License-Identifier: Apache-2.0
// What a publication does when the network, or the person, does something else meanwhile.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { storage } from './memory.mjs';
import { Publications } from '../../extension-common/background/publications.js';
import { RelayBackend } from '../../build/extension-chrome/background/relay-backend.js';

const key = 'k'.repeat(52);
const asked = { custody: 'browser', name: 'home', key, zone: '@ 300 A 192.0.2.1', baseUs: null };
const notFound = { error: 'resolve.not_found', detail: '' };
const stored = async () => (await storage.local.get('publications')).publications ?? {};

/** A network of which `answers` says what differs from one where all goes well. */
class Network {
  published = [];
  forgotten = [];
  newest = async () => notFound;

  constructor(answers = {}) {
    Object.assign(this, answers);
  }

  async publish(packet, casUs) {
    this.published.push({ packet, casUs });
    return { relays: [], dht_nodes: 8 };
  }

  async forget(gone) {
    this.forgotten.push(gone);
  }
}

const publicationsBy = (network, sign = async () => ({ packet: 'ours' })) =>
  new Publications({ sign, backend: async () => network });

async function publishBy(network, changes = {}) {
  const publications = publicationsBy(network);
  assert.deepEqual(await publications.start({ ...asked, ...changes }), {});
  await publications.idle();
  return (await stored())[key];
}

beforeEach(async () => {
  await storage.local.clear();
  await storage.session.clear();
});

test('where nothing is published, a first packet is', async () => {
  const network = new Network();
  assert.equal((await publishBy(network)).state, 'done');
  assert.deepEqual(network.published, [{ packet: 'ours', casUs: null }]);
});

for (const error of ['resolve.timeout', 'resolve.network_failed', 'relay.unreachable']) {
  test(`nothing is overwritten unseen when the second look fails: ${error}`, async () => {
    const network = new Network({ newest: async () => ({ error, detail: 'why' }) });
    const { state, slug, detail } = await publishBy(network);
    assert.deepEqual({ state, slug, detail }, { state: 'failed', slug: error, detail: 'why' });
    assert.deepEqual(network.published, []);
  });
}

test('what is stored of a failure has the words for it', async () => {
  const failure = { error: 'store.unusable', advice: 'The disk is full; free some.', detail: '' };
  const network = new Network({ publish: async () => failure });
  assert.equal((await publishBy(network)).advice, failure.advice);
  network.newest = async () => failure;
  assert.equal((await publishBy(network)).advice, failure.advice);
  network.newest = async () => notFound;
  const unsigned = publicationsBy(network, async () => failure);
  await unsigned.start(asked);
  await unsigned.idle();
  assert.equal((await stored())[key].advice, failure.advice);
});

test('a second look that the program does not answer is taken again later', async () => {
  const network = new Network({ newest: async () => ({ error: 'host.lost', detail: '' }) });
  assert.equal((await publishBy(network)).state, 'signed');
  assert.deepEqual(network.published, []);
  network.newest = async () => notFound;
  const publications = publicationsBy(network);
  await publications.resume();
  await publications.idle();
  assert.equal((await stored())[key].state, 'done');
});

test('a program that is at work on what an earlier life sent is asked again later', async () => {
  const busy = new Network({ publish: async () => ({ error: 'publish.busy', detail: '' }) });
  const { state, packet } = await publishBy(busy);
  assert.deepEqual({ state, packet }, { state: 'sent', packet: 'ours' });
  const network = new Network({ newest: async () =>
    ({ found: { canonical: 'ours', packet: { timestamp_us: 1, records: [] } } }) });
  const publications = publicationsBy(network);
  await publications.resume();
  await publications.idle();
  assert.equal((await stored())[key].state, 'done');
  assert.deepEqual(network.published, [{ packet: 'ours', casUs: null }]);
});

test('what another device published meanwhile is a conflict, also after an interruption',
  async () => {
    const theirs = { canonical: 'theirs', packet: { timestamp_us: 1, records: [] } };
    const network = new Network({ newest: async () => ({ found: theirs }) });
    assert.equal((await publishBy(network)).state, 'conflict');
    await storage.local.set({ publications: { [key]:
      { ...asked, packet: 'ours', timestampUs: 2, createdMs: 1, state: 'sent' } } });
    const publications = publicationsBy(network);
    await publications.resume();
    await publications.idle();
    const { state, theirs: shown } = (await stored())[key];
    assert.deepEqual({ state, shown }, { state: 'conflict', shown: theirs });
    assert.deepEqual(network.published, []);
  });

test('what was seen is replaced on the condition that it is still there', async () => {
  const network = new Network({ newest: async () => ({ error: 'resolve.timeout' }) });
  assert.equal((await publishBy(network, { baseUs: 7 })).state, 'done');
  assert.deepEqual(network.published, [{ packet: 'ours', casUs: 7 }]);
});

test('a key that is removed while it signs publishes nothing and leaves nothing', async () => {
  const network = new Network();
  const publications = publicationsBy(network, async () => {
    await publications.forget(key);
    return { packet: 'ours' };
  });
  await publications.start(asked);
  await publications.idle();
  assert.deepEqual(await stored(), {});
  assert.deepEqual(network.published, []);
});

test('a key that is removed during the second look publishes nothing', async () => {
  const network = new Network();
  const publications = publicationsBy(network);
  network.newest = async () => {
    await publications.forget(key);
    return notFound;
  };
  await publications.start(asked);
  await publications.idle();
  assert.deepEqual(await stored(), {});
  assert.deepEqual(network.published, []);
});

test('a key that is removed while its packet is sent is not kept alive', async () => {
  const network = new Network();
  const publications = publicationsBy(network);
  network.publish = async () => {
    await publications.forget(key);
    return { relays: [], dht_nodes: 8 };
  };
  await publications.start(asked);
  await publications.idle();
  assert.deepEqual(await stored(), {});
  assert.deepEqual(network.forgotten, [key]);
});

test('a removed key leaves no row for the time after the program, and asks no relay', async () => {
  await storage.local.set({ rows: { [key]: 'a row', other: 'another' } });
  const backend = new RelayBackend({ onAdopted() {},
    loadCore: () => assert.fail('a node was started'),
    settings: () => assert.fail('the settings were read') });
  await backend.forget(key);
  assert.deepEqual(await storage.local.get('rows'), { rows: { other: 'another' } });
});
