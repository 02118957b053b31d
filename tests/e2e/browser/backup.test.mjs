// SPDX-License-Identifier: Apache-2.0
// Keys in the program's hands: backed up, wiped and restored in the extension's page, which sees no
// bare secret of them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserNames, startInstalledBrowser } from './browsers.mjs';
import {
  addRecord, answer, importKey, makeKey, openEditor, openPage, passphrase, pressOnKey, publish,
  removeKey, savedText, untilBackedUp, untilTrue,
} from './person.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();

before(async () => {
  await world.start();
  await world.install();
});
after(() => world.close());

const storedKey = async (name) =>
  (await world.run('key', 'list')).keys.find((one) => one.name === name);

/** What the program has of `key` is under this name alone, locked or not. */
async function assertStored(key, name, locked) {
  const { keys } = await world.run('key', 'list');
  assert.deepEqual(keys.filter((one) => one.key === key).map((one) => [one.name, one.locked]),
    [[name, locked]]);
}

/** → the recovery file of a key; `secret` locks it, where the key is not locked already. */
async function backUpFile(browser, name, secret) {
  const page = await openPage(browser, 'keys/keys.html');
  await pressOnKey(page, name, 'backup');
  const values = secret === undefined ? {} : { passphrase: secret, again: secret };
  const file = await savedText(page, async () => assert.equal(await answer(page, values), ''));
  await untilBackedUp(page, name);
  await page.close();
  return file;
}

/** → the words of a key: the page says how to ask the program for them. */
async function backUpWords(browser, name) {
  const page = await openPage(browser, 'keys/keys.html');
  await pressOnKey(page, name, 'backup');
  const command = await untilTrue(page,
    'document.querySelector("dialog [data-part=command]").textContent');
  await page.close();
  const [program, ...options] = command.split(' ');
  assert.equal(program, 'dotkey');
  return (await world.run(...options)).words;
}

async function wipe(browser, name) {
  await removeKey(browser, name);
  assert.equal(await storedKey(name), undefined);
}

for (const name of chosen) {
  describe(`in ${name}, with the program`, () => {
    let browser;
    before(async () => { browser = await startInstalledBrowser(name, world); });
    after(async () => browser?.close());

    test('a key that was wiped comes back from its file, with the passphrase alone', async () => {
      const key = await makeKey(browser, `${name}-file`);
      const file = await backUpFile(browser, `${name}-file`, passphrase);
      assert.match(file, /^dotkey-key 1\n/);
      await wipe(browser, `${name}-file`);
      assert.match(await importKey(browser, `${name}-again`, file, 'a wrong one'),
        /passphrase is wrong/);
      assert.equal(await storedKey(`${name}-again`), undefined);
      assert.equal(await importKey(browser, `${name}-again`, file, passphrase), '');
      await assertStored(key, `${name}-again`, true);
      const editor = await openEditor(browser, key);
      await addRecord(editor, '@', 'A', { address: '192.0.2.1' });
      assert.equal(await publish(editor, passphrase), 'Published');
      const { records } = await world.run('resolve', key, '--policy', 'newest');
      assert.deepEqual(records.map(({ data }) => data), ['192.0.2.1']);
    });

    test('a locked key is saved as it is, and comes back with its own passphrase', async () => {
      const key = await makeKey(browser, `${name}-locked`, passphrase);
      const file = await backUpFile(browser, `${name}-locked`);
      await wipe(browser, `${name}-locked`);
      assert.notEqual(await importKey(browser, `${name}-locked`, file, 'a wrong one'), '');
      assert.equal(await importKey(browser, `${name}-locked`, file, passphrase), '');
      await assertStored(key, `${name}-locked`, true);
    });

    test('a key that was wiped comes back from its words', async () => {
      const key = await makeKey(browser, `${name}-words`);
      const words = await backUpWords(browser, `${name}-words`);
      assert.equal(words.split(' ').length, 24);
      await wipe(browser, `${name}-words`);
      assert.match(await importKey(browser, `${name}-words`, words.replace(/^\w+ /, 'zzzz '), ''),
        /not in the word list/);
      assert.equal(await importKey(browser, `${name}-words`, words, ''), '');
      await assertStored(key, `${name}-words`, false);
    });
  });
}
