// SPDX-License-Identifier: Apache-2.0
// A person's own name for a key, typed while storage is slow to answer.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { storage } from './memory.mjs';

const { startPetname } = await import('../../extension-common/popup/petname.js');
const { local } = storage;
const [key, other] = ['a'.repeat(52), 'b'.repeat(52)];

class Field extends EventTarget {
  value = '';

  type(text) {
    this.value = text;
    this.dispatchEvent(new Event('input'));
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const petnames = async () => (await local.get('petnames')).petnames;

/** Holds back what storage answers until it is let go; `area[method]` is as before then. */
function holdBack(method) {
  const real = local[method].bind(local);
  const held = [];
  local[method] = (...given) => new Promise((resolve) => held.push(() => resolve(real(...given))));
  return async () => {
    delete local[method];
    for (const go of held) go();
    await turn();
  };
}

let field;
beforeEach(async () => {
  await local.clear();
  field = new Field();
});

test('the name that was given is shown', async () => {
  await local.set({ petnames: { [key]: 'mine', [other]: 'theirs' } });
  await startPetname(field, key);
  assert.equal(field.value, 'mine');
});

test('what is typed before storage answers stays, and is kept', async () => {
  await local.set({ petnames: { [key]: 'old', [other]: 'theirs' } });
  const letGo = holdBack('get');
  const started = startPetname(field, key);
  field.type('new');
  await turn();
  await letGo();
  await started;
  await turn();
  assert.equal(field.value, 'new');
  assert.deepEqual(await petnames(), { [key]: 'new', [other]: 'theirs' });
});

test('a name that is emptied before storage answers stays empty, and is forgotten', async () => {
  await local.set({ petnames: { [key]: 'old' } });
  const letGo = holdBack('get');
  const started = startPetname(field, key);
  field.type('');
  await turn();
  await letGo();
  await started;
  await turn();
  assert.equal(field.value, '');
  assert.deepEqual(await petnames(), {});
});

test('what is typed last is kept, however storage answers', async () => {
  await startPetname(field, key);
  const letGo = holdBack('set');
  for (const text of ['m', 'mi', 'mine ']) field.type(text);
  await turn();
  await letGo();
  await turn();
  assert.deepEqual(await petnames(), { [key]: 'mine' });
});

test('a name that could not be kept does not keep the next from it', async () => {
  await startPetname(field, key);
  let tries = 0;
  local.set = () => {
    ++tries;
    delete local.set;
    return Promise.reject(new Error('full'));
  };
  field.type('first');
  field.type('second');
  await turn();
  assert.equal(tries, 1);
  assert.deepEqual(await petnames(), { [key]: 'second' });
});
