// SPDX-License-Identifier: Apache-2.0
// What is typed in the editor is not lost, whatever happens meanwhile: slow answers, other devices,
// other windows, text that cannot be read.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

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

    test('two windows of a key show the same, and what one publishes is no draft of the other',
      async () => {
        const of = await addKey();
        await publishElsewhere(of, 'www 300 A 192.0.2.1');
        const [first, second] =
          [await openEditor(browser, keyOf(of)), await openEditor(browser, keyOf(of))];
        await addRecord(first, 'new', 'A', { address: '192.0.2.2' });
        const both = [['www', '192.0.2.1'], ['new', '192.0.2.2']];
        await pollUntil('the other window shows what is typed',
          async () => isDeepStrictEqual(await rowsIn(second), both));
        await setField(second, 1, 'address', '192.0.2.9');
        const changed = [['www', '192.0.2.9'], ['new', '192.0.2.2']];
        await pollUntil('so does the first', async () =>
          isDeepStrictEqual(await rowsIn(first), changed));
        assert.equal(await publish(first), 'Published');
        await untilSays(first, 'Everything is published');
        await untilSays(second, 'Everything is published');
        assert.deepEqual(await rowsIn(second), changed);
        await pollUntil('no draft is left', async () => await draftOf(second, keyOf(of)) === null);
        await first.close();
        await second.close();
        const third = await openEditor(browser, keyOf(of));
        assert.deepEqual(await changesIn(third), []);
        assert.deepEqual(await rowsIn(third), changed);
        await third.close();
      });

    test('a zone file that cannot be read is not published, not hidden and not forgotten',
      async () => {
        const of = await addKey();
        await publishElsewhere(of, 'www 300 A 192.0.2.1');
        const first = await openEditor(browser, keyOf(of));
        await click(first, '#zone-tab');
        await fill(first, { '#zone': 'www 300 A 192.0.2.2' });
        assert.equal(await isDisabled(first, 'publish'), false);
        const broken = 'www 300 A 192.0.2.3\nmail 300 A 192.0.2.';
        await fill(first, { '#zone': broken });
        assert.equal(await isDisabled(first, 'publish'), true);
        await untilSays(first, 'has a line that cannot be read');
        await click(first, '#table-tab');
        assert.equal(await first.evaluate('document.getElementById("zone-view").hidden'), false);
        await untilSays(first, 'The table cannot show this text');
        await pollUntil('the draft is kept', async () =>
          (await draftOf(first, keyOf(of)))?.text === broken);
        await first.close();

        // What is published meanwhile comes together with the text once it can be read.
        await publishElsewhere(of, 'www 300 A 192.0.2.1', 'api 300 A 192.0.2.8');
        const editor = await openEditor(browser, keyOf(of));
        assert.equal(await editor.evaluate('document.getElementById("zone").value'), broken);
        assert.equal(await isDisabled(editor, 'publish'), true);
        await fill(editor, { '#zone': `${broken}4` });
        assert.equal(await editor.evaluate('document.getElementById("zone").value'),
          `${broken}4\napi 300 A 192.0.2.8`);
        await click(editor, '#table-tab');
        assert.deepEqual(await rowsIn(editor),
          [['www', '192.0.2.3'], ['mail', '192.0.2.4'], ['api', '192.0.2.8']]);
        await editor.close();
      });

    test('what was discarded is gone from the zone file too', async () => {
      const of = await addKey();
      await publishElsewhere(of, 'www 300 A 192.0.2.1');
      const editor = await openEditor(browser, keyOf(of));
      await click(editor, '#zone-tab');
      await fill(editor, { '#zone': 'www 300 A 192.0.2.1\nnot a record' });
      await click(editor, '#discard');
      const zone = 'document.getElementById("zone").value';
      assert.equal(await editor.evaluate(zone), 'www 300 A 192.0.2.1');
      assert.equal(await editor.evaluate('document.getElementById("zone-fault").textContent'), '');
      await untilSays(editor, 'Everything is published');
      await fill(editor, { '#zone': 'www 300 A 192.0.2.1\nmail 300 A 192.0.2.2' });
      await click(editor, '#discard');
      assert.equal(await editor.evaluate(zone), 'www 300 A 192.0.2.1');
      await click(editor, '#table-tab');
      assert.deepEqual(await rowsIn(editor), [['www', '192.0.2.1']]);
      await editor.close();
    });
  });
}
