// SPDX-License-Identifier: Apache-2.0
// A browser stops the background script when it pleases: Chromium its service worker, Firefox its
// event page. Here it is stopped between every two steps of a publication; what was begun ends all
// the same, with one packet, whoever publishes: the browser by way of a relay, or the program.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserNames, pollUntil, startBrowser, startInstalledBrowser } from './browsers.mjs';
import {
  addRecord, click, makeKey, openEditor, openPage, passphrase, untilSays, untilTrue, useRelay,
} from './person.mjs';
import { RelayGate } from './relay-gate.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
// The program may be busy with what an earlier life sent; the next try is an alarm away.
const endTimeoutMs = 180_000;
let browser, relay, editor, key, keyName, custody;

before(async () => {
  await world.start();
  relay = await new RelayGate(world.ready.relay).start();
  world.ready.relay = relay.url;
  await world.configure();
  await world.install();
});
after(async () => {
  relay?.release();
  await world.close();
  relay?.close();
});

const modes = {
  'without the program': async (name) => {
    browser = await startBrowser(name);
    await useRelay(browser, relay.url);
    [custody, keyName] = ['browser', 'home'];
    key = await makeKey(browser, keyName, passphrase);
  },
  'with the program': async (name) => {
    browser = await startInstalledBrowser(name, world);
    [custody, keyName] = ['host', `${name}-home`];
    key = await makeKey(browser, keyName);
  },
};

const kill = () => browser.stopBackground(editor);

/** Any question wakes it. */
async function wake() {
  const page = await openPage(browser, 'keys/keys.html');
  await page.close();
}

const jobOf = () => editor.evaluate(async (wanted) => {
  const { publications = {} } = await chrome.storage.local.get('publications');
  return publications[wanted] ?? null;
}, key);
const untilState = (state) => pollUntil(`the publication is ${state}`,
  async () => (await jobOf())?.state === state, endTimeoutMs);

/** What the background script leaves when it is stopped right after it was asked. */
async function leaveAsked(baseUs) {
  const zone = `n${number} 300 A 192.0.2.${number}`;
  await editor.evaluate((begun) => chrome.storage.local.set(
    { publications: { [begun.key]: begun } }),
  { custody, name: keyName, key, zone, baseUs, state: 'asked', createdMs: Date.now() });
}

let number = 0;
async function change() {
  relay.forget();
  await addRecord(editor, `n${++number}`, 'A', { address: `192.0.2.${number}` });
}

async function published() {
  const { records } = await world.run('resolve', key, '--policy', 'newest');
  return records.map(({ data }) => data);
}

async function endsWell() {
  await untilState('done');
  assert.equal(relay.packets.size, 1, 'one packet');
  assert.ok((await published()).includes(`192.0.2.${number}`));
  await untilSays(editor, 'Everything is published');
}

for (const [mode, name] of Object.keys(modes).flatMap((one) => chosen.map((two) => [one, two]))) {
  describe(`${mode}, a publication ends with one packet when ${name} stops its script`, () => {
    before(async () => {
      await modes[mode](name);
      editor = await openEditor(browser, key);
    });
    after(async () => {
      relay.release();
      await browser?.close();
    });

    test('before it has signed', async () => {
      await change();
      await kill();
      await leaveAsked(null);
      assert.equal((await jobOf()).state, 'asked');
      await wake();
      await endsWell();
    });

    test('after it has signed and before it sends', async () => {
      await change();
      relay.holds = (method, when) => method === 'PUT' && when === 'before';
      await click(editor, '#publish');
      await pollUntil('the packet is on its way', () => relay.held > 0);
      const job = await jobOf();
      await kill();
      relay.release();
      relay.forget();
      await editor.evaluate((begun) => chrome.storage.local.set(
        { publications: { [begun.key]: { ...begun, state: 'signed' } } }), job);
      await wake();
      await endsWell();
    });

    test('after it has sent and before the relay has it', async () => {
      await change();
      relay.holds = (method, when) => method === 'PUT' && when === 'before';
      await click(editor, '#publish');
      await pollUntil('the packet is on its way', () => relay.held > 0);
      assert.equal((await jobOf()).state, 'sent');
      await kill();
      relay.release();
      await wake();
      await endsWell();
    });

    test('after the relay has it and before the answer came', async () => {
      await change();
      relay.holds = (method, when) => method === 'PUT' && when === 'after';
      await click(editor, '#publish');
      await pollUntil('the answer is kept back', () => relay.held > 0);
      await kill();
      relay.release();
      await wake();
      await endsWell();
    });

    test('again and again', async () => {
      await change();
      relay.holds = (method, when) => when === 'before';
      await click(editor, '#publish');
      for (let times = 0; times < 3; ++times) {
        // The program goes on with what it was told first.
        const before = custody === 'host' ? 0 : times;
        await pollUntil('it tries', () => relay.held > before, endTimeoutMs);
        await kill();
        await wake();
      }
      relay.release();
      await endsWell();
    });

    if (mode === 'with the program') return;

    test('and a locked key is asked for when nothing was signed', async () => {
      await change();
      await kill();
      await leaveAsked((await jobOf()).timestampUs);
      // Last: the editor asks for the keys when this changes, which wakes the worker.
      await editor.evaluate(() => chrome.storage.session.set({ seeds: {} }));
      await wake();
      await untilState('failed');
      assert.equal(relay.puts, 0);
      await untilSays(editor, 'The key is locked');
      await untilTrue(editor, '!document.getElementById("publish").disabled');
    });
  });
}
