// SPDX-License-Identifier: Apache-2.0
// Browsers without the program: keys in the extension's own storage, records by way of a relay.
// Chromium and Firefox are two devices of people who know each other's addresses.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserNames, pollUntil, startBrowser } from './browsers.mjs';
import {
  addRecord, backUp, click, fill, importKey, makeKey, openEditor, openPage, passphrase, pressOnKey,
  publish, removeKey, settle, untilSays, untilTrue, useRelay,
} from './person.mjs';
import { World } from './world.mjs';

const world = new World();
const browsers = {};

before(async () => {
  await world.start();
  for (const name of browserNames) {
    browsers[name] = await startBrowser(name);
    await useRelay(browsers[name], world.ready.relay);
  }
});
after(async () => {
  await Promise.allSettled(Object.values(browsers).map((browser) => browser.close()));
  await world.close();
});

/** What stands in the tab of an address: the page of its records. */
async function recordsOf(browser, key) {
  const tab = await browser.open(`https://${key}.key/`);
  await pollUntil('the records page is there', async () =>
    (await browser.addressOf(tab)).startsWith(browser.extensionUrl('records/records.html')));
  return tab;
}

for (const name of browserNames) {
  describe(`in ${name}, without the program`, () => {
    const other = () => browsers[browserNames.find((one) => one !== name)];
    const mine = () => browsers[name];

    test('what is published is seen in the other browser, and so is a change', async () => {
      const key = await makeKey(mine(), 'home', passphrase);
      const editor = await openEditor(mine(), key);
      await addRecord(editor, 'www', 'A', { address: '192.0.2.1' });
      assert.equal(await publish(editor), 'Published');
      const first = await recordsOf(other(), key);
      await untilSays(first, 'Signature verified');
      await untilSays(first, '192.0.2.1');
      await fill(editor, { '.row [data-field="address"]': '192.0.2.77' });
      assert.equal(await publish(editor), 'Published');
      await untilSays(await recordsOf(other(), key), '192.0.2.77');
    });

    test('a key goes to a second device by its words, and a conflict is seen there', async () => {
      const key = await makeKey(mine(), 'shared', passphrase);
      const editor = await openEditor(mine(), key);
      await addRecord(editor, '@', 'A', { address: '192.0.2.1' });
      assert.equal(await publish(editor), 'Published');
      const words = await backUp(mine(), 'shared', 'words');
      assert.equal(words.split(' ').length, 24);
      assert.equal(await importKey(other(), `${name}-shared`, words, passphrase), '');
      const second = await openEditor(other(), key);
      await addRecord(second, 'second', 'A', { address: '192.0.2.2' });
      assert.equal(await publish(second), 'Published');

      await addRecord(editor, 'first', 'A', { address: '192.0.2.3' });
      assert.equal(await publish(editor), 'conflict');
      await untilSays(editor, 'Another device was first');
      await settle(editor, 'merge');
      assert.equal(await publish(editor), 'Published');
      const records = await recordsOf(other(), key);
      for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
        await untilSays(records, address);
      }
    });

    test('a key that was deleted comes back from its file and from its words', async () => {
      const key = await makeKey(mine(), 'lost', passphrase);
      const file = await backUp(mine(), 'lost', 'file');
      const words = await backUp(mine(), 'lost', 'words');
      assert.match(file, /^dotkey-key 1\n/);
      await removeKey(mine(), 'lost');
      assert.match(await importKey(mine(), 'again', file, 'a wrong one'), /passphrase is wrong/);
      assert.equal(await importKey(mine(), 'again', file, passphrase), '');
      const page = await openPage(mine(), 'keys/keys.html');
      await untilSays(page, key);
      await removeKey(mine(), 'again');
      assert.match(await importKey(mine(), 'words', words.replace(/^\w+ /, 'zzzz '), passphrase),
        /not in the word list/);
      assert.equal(await importKey(mine(), 'words', words, 'another one'), '');
      await untilSays(page, key);
    });

    test('a locked key signs nothing before its passphrase is given', async () => {
      const key = await makeKey(mine(), 'locked', passphrase);
      const page = await openPage(mine(), 'keys/keys.html');
      await pressOnKey(page, 'locked', 'lock');
      await untilTrue(page, `[...document.querySelectorAll('.key-card')].find((card) =>
        card.querySelector('h2').textContent === 'locked').innerText.includes('Locked')`);
      const editor = await openEditor(mine(), key);
      await addRecord(editor, '@', 'TXT', { text: 'signed' });
      assert.match(await publish(editor, 'a wrong one'), /passphrase is wrong/);
      await click(editor, 'dialog [value="cancel"]');
      assert.equal(await publish(editor, passphrase), 'Published');
      const { seeds } = await editor.evaluate(
        '(globalThis.browser ?? chrome).storage.session.get("seeds")');
      assert.ok(seeds[key].untilMs > Date.now());
      await pressOnKey(page, 'locked', 'lock');
      await pollUntil('the seed is gone', async () => !Object.hasOwn((await editor.evaluate(
        '(globalThis.browser ?? chrome).storage.session.get("seeds")')).seeds, key));
    });

    test('records that do not fit into a packet cannot be published', async () => {
      const editor = await openEditor(mine(), await makeKey(mine(), 'large', passphrase));
      await addRecord(editor, '@', 'TXT', { text: 'x'.repeat(1100) });
      await untilSays(editor, 'too much to publish');
      assert.equal(await editor.evaluate('document.getElementById("publish").disabled'), true);
      await fill(editor, { '.row [data-field="text"]': 'short' });
      await untilTrue(editor, '!document.getElementById("publish").disabled');
    });

    test('with its relay down, a browser says so and loses nothing', async () => {
      const key = await makeKey(mine(), 'offline', passphrase);
      const editor = await openEditor(mine(), key);
      await useRelay(mine(), 'http://127.0.0.1:9');
      await addRecord(editor, '@', 'A', { address: '192.0.2.9' });
      assert.equal(await publish(editor), 'Not published');
      await untilSays(editor, 'No relay can be reached');
      await useRelay(mine(), world.ready.relay);
      assert.equal(await publish(editor), 'Published');
      await untilSays(await recordsOf(mine(), key), '192.0.2.9');
    });
  });
}
