// SPDX-License-Identifier: Apache-2.0
// What is typed in the editor is not lost, whatever happens meanwhile: slow answers, other devices,
// other windows, text that cannot be read.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserNames, pollUntil, startBrowser } from './browsers.mjs';
import {
  addRecord, answer, click, fill, openEditor, openPage, passphrase, publish, untilSays, untilTrue,
  useRelay,
} from './person.mjs';
import { RelayGate } from './relay-gate.mjs';
import { keyOf, wordsOf, zonePacket } from './scripted.mjs';
import { World } from './world.mjs';

const world = new World();
let number = 100;

before(async () => { await world.start(); });
after(async () => { await world.close(); });

/** Another device of the person's publishes. */
async function publishElsewhere(of, ...lines) {
  const payload = zonePacket(of, lines.join('\n')).subarray(32);
  const { status } = await fetch(`${world.ready.relay}/${keyOf(of)}`,
    { method: 'PUT', body: payload });
  assert.ok(status < 300, `the relay said ${status}`);
}

/** The rows of the table: [[name, address], …] */
const rowsIn = (page) => page.evaluate(() => [...document.querySelectorAll('#rows .row')]
  .map((row) => ['name', 'address'].map((field) =>
    row.querySelector(`[data-field="${field}"]`)?.value ?? '')));
const changesIn = (page) => page.evaluate(() =>
  [...document.querySelectorAll('#changes li:not([data-change="kept"])')]
    .map(({ dataset, lastChild }) => `${dataset.sign} ${lastChild.lastChild.data}`));
const isDisabled = (page, id) => page.evaluate(`document.getElementById('${id}').disabled`);
const setField = (page, row, field, value) =>
  fill(page, { [`#rows .row:nth-child(${row}) [data-field="${field}"]`]: value });
const draftOf = (page, key) => page.evaluate(async (name) =>
  (await (globalThis.browser ?? chrome).storage.local.get(name))[name] ?? null, `draft:${key}`);

for (const name of browserNames) {
  describe(`in the editor of ${name}`, () => {
    let browser, relay;
    before(async () => {
      relay = await new RelayGate(world.ready.relay).start();
      browser = await startBrowser(name);
      await useRelay(browser, relay.url);
    });
    after(async () => {
      await browser?.close();
      relay?.close();
    });

    /** → the number of a key that this browser has, too */
    async function addKey() {
      const of = ++number;
      const page = await openPage(browser, 'keys/keys.html');
      await click(page, '#import');
      assert.equal(await answer(page,
        { name: `key${of}`, secret: wordsOf(of), passphrase }), '');
      await untilSays(page, `key${of}`);
      await page.close();
      return of;
    }

    test('what is typed while the network is asked stays, and so does the focus', async () => {
      const of = await addKey();
      await publishElsewhere(of, 'www 300 A 192.0.2.1');
      relay.holds = (method, when) => method === 'GET' && when === 'before';
      const editor = await openPage(browser, `editor/editor.html?key=${keyOf(of)}`);
      await untilTrue(editor, '!document.getElementById("editor").hidden');
      await pollUntil('the network is asked', () => relay.held > 0);
      await addRecord(editor, 'typed', 'A', { address: '192.0.2.7' });
      relay.release();
      await untilTrue(editor, 'document.getElementById("editor").ariaBusy !== "true"');
      await untilTrue(editor, 'document.querySelectorAll("#rows .row").length > 1');
      assert.deepEqual(await rowsIn(editor), [['typed', '192.0.2.7'], ['www', '192.0.2.1']]);
      assert.deepEqual(await changesIn(editor), ['+ typed 300 A 192.0.2.7']);
      assert.equal(await editor.evaluate('document.activeElement.value'), '192.0.2.7');
      await editor.close();
    });

    test('half-typed rows are still there after another device has published', async () => {
      const of = await addKey();
      await publishElsewhere(of, 'www 300 A 192.0.2.1', 'mail 300 A 192.0.2.2');
      const first = await openEditor(browser, keyOf(of));
      await setField(first, 1, 'address', '192.0.2.');
      await click(first, '#add');
      await setField(first, 3, 'name', 'half');
      await pollUntil('the draft is kept', async () =>
        (await draftOf(first, keyOf(of)))?.rows.at(-1).name === 'half');
      await first.close();
      await publishElsewhere(of, 'www 300 A 192.0.2.1', 'mail 300 A 192.0.2.2',
        'api 300 A 192.0.2.3');
      const editor = await openEditor(browser, keyOf(of));
      await untilSays(editor, 'Another device published');
      assert.deepEqual(await rowsIn(editor), [['www', '192.0.2.'], ['mail', '192.0.2.2'],
        ['half', ''], ['api', '192.0.2.3']]);
      assert.deepEqual(await changesIn(editor), []);
      assert.equal(await isDisabled(editor, 'publish'), true);
      await untilSays(editor, '2 record(s) cannot be read yet');
      await setField(editor, 1, 'address', '192.0.2.10');
      await setField(editor, 3, 'address', '192.0.2.4');
      assert.deepEqual(await changesIn(editor), ['− www 300 A 192.0.2.1', '+ www 300 A 192.0.2.10',
        '+ half 300 A 192.0.2.4']);
      assert.equal(await publish(editor), 'Published');
      await editor.close();
    });
  });
}
