// SPDX-License-Identifier: Apache-2.0
// Everything that a person does in the extension's pages, done with the keyboard alone.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserNames, startBrowser, startInstalledBrowser } from './browsers.mjs';
import {
  answerByKeys, choose, goTo, hasFocus, press, pressOn, untilClosed, untilDialog, walkThrough,
  write,
} from './keyboard.mjs';
import { openEditor, openPage, passphrase, savedText, untilSays, untilTrue } from './person.mjs';
import { startResolver } from './resolver.mjs';
import { untilBlocked, untilOpen } from './tabs.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
let resolver;
let number = 0;

before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start();
  await world.install();
});
after(async () => {
  await world.close();
  resolver.close();
});

const endedOf = (page) =>
  page.evaluate('document.getElementById("publication").dataset.ended ?? ""');

/** Publishes what stands there, and waits until it is told how it went. */
async function publishByKeys(page, secret) {
  const before = await endedOf(page);
  await pressOn(page, '#publish');
  if (secret !== undefined) await answerByKeys(page, { passphrase: secret });
  await untilTrue(page, `!document.getElementById("conflict").hidden ||
    !['', ${JSON.stringify(before)}].includes(
      document.getElementById("publication").dataset.ended ?? "")`);
  return page.evaluate(`document.getElementById("conflict").hidden
    ? document.getElementById("publication-heading").textContent : "conflict"`);
}

async function addByKeys(page, name, type, field, value) {
  await pressOn(page, '#add');
  await hasFocus(page, '.row:last-child .data input');
  await choose(page, '.row:last-child select', type);
  await write(page, `.row:last-child [data-field="${field}"]`, value);
  await write(page, '.row:last-child [data-field="name"]', name);
}

const button = (name, act) => `[data-act="${act}"][aria-label$=": ${name}"]`;

/** → the new key's 52 characters */
async function makeByKeys(page, name, secret) {
  await pressOn(page, '#make');
  const words = secret === undefined ? {} : { passphrase: secret, again: secret };
  await answerByKeys(page, { name, ...words });
  await untilClosed(page, '#make');
  return untilTrue(page, `document.querySelector('${button(name, 'qr')}')
    ?.closest('.key-card').querySelector('[data-part=key]').textContent`);
}

async function importByKeys(page, name, secret, word) {
  await pressOn(page, '#import');
  await answerByKeys(page, { secret, name, passphrase: word });
  await untilClosed(page, '#import');
  await untilSays(page, name);
}

async function removeByKeys(page, name) {
  await pressOn(page, button(name, 'remove'));
  await answerByKeys(page, { typed: `not ${name}` });
  await untilTrue(page, 'document.querySelector("dialog .fault").textContent !== ""');
  await write(page, 'dialog [name="typed"]', name);
  await press(page, 'Enter');
  // Its button went with it.
  await untilClosed(page, 'main button');
  await untilTrue(page, `document.querySelector('${button(name, 'remove')}') === null`);
}

for (const name of chosen) {
  describe(`by keyboard alone in ${name}, with the program`, () => {
    let browser, page, key, site;
    before(async () => { browser = await startInstalledBrowser(name, world); });
    after(async () => browser?.close());

    test('a key is made and its server pinned, published and opened', async () => {
      page = await openPage(browser, 'keys/keys.html');
      key = await makeByKeys(page, `${name}-hands`);
      site = world.siteAt(`${name}-hands`, `127.0.4.${++number}`);
      site.key = key;
      await site.listen(await world.certificate(`${name}-hands`, site.host));
      await world.run('allow-local', key);

      await pressOn(page, `.key-card a[href*="${key}"]`);
      await untilTrue(page, 'location.pathname === "/editor/editor.html" && ' +
        '!document.getElementById("editor").hidden && ' +
        'document.getElementById("editor").ariaBusy !== "true"');
      await pressOn(page, '[data-suggest="A"]');
      await hasFocus(page, '.row [data-field="address"]');
      await page.keyboard.type(site.address);
      await pressOn(page, '#pin');
      await untilDialog(page);
      await write(page, '#pin-server', `${site.address}:443`);
      await press(page, 'Enter');
      await untilTrue(page, '!document.querySelector("[data-part=found]").hidden');
      await pressOn(page, 'dialog [type="submit"]');
      await untilClosed(page, '#pin');
      assert.equal(await publishByKeys(page), 'Published');
      await pressOn(page, '#open');
      await untilOpen(browser, page, site);
    });

    test('records are changed in the table and as a zone file', async () => {
      page = await openEditor(browser, key);
      await addByKeys(page, 'note', 'TXT', 'text', 'by hand');
      await goTo(page, '#table-tab');
      await press(page, 'ArrowRight');
      await hasFocus(page, '#zone-tab');
      await goTo(page, '#zone');
      await press(page, 'Control+End');
      await page.keyboard.type('\nzone 300 TXT "as a file"');
      await goTo(page, '#zone-tab');
      await press(page, 'ArrowLeft');
      await hasFocus(page, '#table-tab');
      await untilTrue(page, 'document.querySelectorAll("#rows .row").length === 4');
      await pressOn(page, '.row:nth-child(3) .delete');
      await hasFocus(page, '.row:nth-child(3) .delete');
      assert.equal(await publishByKeys(page), 'Published');
      const { records } = await world.run('resolve', key, '--policy', 'newest');
      assert.deepEqual(records.filter(({ type }) => type === 'TXT').map(({ data }) => data),
        ['"as a file"']);
    });

    test('a conflict is settled', async () => {
      const records = async () =>
        (await world.run('resolve', key, '--policy', 'newest')).records;
      const [{ data: pin }] = (await records()).filter(({ type }) => type === 'TLSA');
      await site.publish(`@ 300 A ${site.address}`, `_443._tcp 3600 TLSA ${pin}`,
        'theirs 300 A 192.0.2.2');
      await addByKeys(page, 'mine', 'AAAA', 'address', '2001:db8::7');
      assert.equal(await publishByKeys(page), 'conflict');
      await pressOn(page, '#merge');
      await hasFocus(page, '#publish');
      assert.equal(await publishByKeys(page), 'Published');
      assert.deepEqual((await records()).map(({ data }) => data).sort(),
        ['192.0.2.2', site.address, '2001:db8::7', pin].sort());
    });

    test('the popup tells of a site, names it and lets it into the local network', async () => {
      await untilOpen(browser, await browser.open(site.url), site);
      page = await openPage(browser, `popup/popup.html?url=${encodeURIComponent(site.url)}`);
      await untilSays(page, 'Verified');
      await untilTrue(page, 'document.getElementById("local").checked');
      await write(page, '#petname', 'mine alone');
      await pressOn(page, '#local', ' ');
      await untilTrue(page, '!document.getElementById("local").checked');
      await untilTrue(page, `(async () => { const { keys } = await (globalThis.browser ?? chrome)
        .runtime.sendMessage({ op: 'local.list' }); return !keys.includes('${key}'); })()`);
      await press(page, ' ');
      await pressOn(page, 'summary');
      await untilTrue(page, 'document.getElementById("steps").childElementCount > 0');
      await goTo(page, '#site-tab');
      await press(page, 'ArrowRight');
      await hasFocus(page, '#keys-tab');
      await untilSays(page, `${name}-hands`);
      await goTo(page, `#keys a[href*="${key}"]`);
      const { petnames } = await page.evaluate(
        '(globalThis.browser ?? chrome).storage.local.get("petnames")');
      assert.equal(petnames[key], 'mine alone');
    });

    test('a blocked page is left, or tried again', async () => {
      site.close();
      const tab = await browser.open(`https://${key}.key:444/`);
      await untilBlocked(browser, tab, `https://${key}.key:444/`, 'proxy.port_refused');
      await pressOn(tab, 'summary');
      await untilTrue(tab, 'document.querySelector("details").open');
      // What comes next looks the same.
      await tab.evaluate('document.body.dataset.last = ""');
      await pressOn(tab, '#retry');
      await untilTrue(tab, '!("last" in document.body.dataset)');
      await untilBlocked(browser, tab, `https://${key}.key:444/`, 'proxy.port_refused');
      await walkThrough(tab);
    });

    for (const where of ['keys', 'network', 'options', 'welcome', 'popup']) {
      test(`the Tab key comes through the page of ${where} and out again`, async () => {
        page = await openPage(browser, `${where}/${where}.html`);
        await walkThrough(page);
      });
    }

    test('the Tab key comes through the editor', async () => {
      page = await openEditor(browser, key);
      await walkThrough(page);
    });

    test('the Tab key stays in a dialog, which Escape closes', async () => {
      page = await openEditor(browser, key);
      await pressOn(page, '#pin');
      await untilDialog(page);
      await press(page, 'Escape');
      await untilClosed(page, '#pin');
      await press(page, 'Enter');
      await untilDialog(page);
      await walkThrough(page);
    });
  });

  describe(`by keyboard alone in ${name}, without the program`, () => {
    let browser, page, key;
    before(async () => {
      // Firefox shows what it has saved in a panel of its own, which takes the focus.
      browser = await startBrowser(name,
        { prefs: { 'browser.download.alwaysOpenPanel': false } });
    });
    after(async () => browser?.close());

    test('relays are set in the options', async () => {
      page = await openPage(browser, 'options/options.html');
      await write(page, '#relay', world.ready.relay);
      await press(page, 'Enter');
      await untilSays(page, world.ready.relay);
      for (const left of [2, 1]) {
        await pressOn(page, '#relays li:first-child button');
        await untilTrue(page, `document.querySelectorAll('#relays li').length === ${left}`);
      }
      await choose(page, '#lock', '60');
      await pressOn(page, '#republish', ' ');
      const settings = `(async () => (await (globalThis.browser ?? chrome).storage.local
        .get("settings")).settings)()`;
      await untilTrue(page, `${settings}.then(({ lockAfterMin, republish, relays }) =>
        lockAfterMin === 60 && republish === false && relays.length === 1)`);
    });

    test('a key is made, locked and published with its passphrase', async () => {
      page = await openPage(browser, 'keys/keys.html');
      key = await makeByKeys(page, 'hands', passphrase);
      await pressOn(page, button('hands', 'lock'));
      await untilSays(page, 'Locked');
      await hasFocus(page, button('hands', 'lock'));
      await press(page, 'Enter');
      await answerByKeys(page, { passphrase });
      await untilClosed(page, button('hands', 'lock'));
      await press(page, 'Enter');
      await untilSays(page, 'Locked');
      page = await openEditor(browser, key);
      await addByKeys(page, 'www', 'A', 'address', '192.0.2.1');
      assert.equal(await publishByKeys(page, passphrase), 'Published');
    });

    test('it is backed up, renamed, deleted and restored from words and file', async () => {
      page = await openPage(browser, 'keys/keys.html');
      const file = await savedText(page, async () => {
        await pressOn(page, button('hands', 'backup'));
        await untilDialog(page);
        await pressOn(page, 'dialog [type="submit"]');
        await untilClosed(page, button('hands', 'backup'));
      });
      await press(page, 'Enter');
      await untilDialog(page);
      await choose(page, 'dialog [name="form"]', 'words');
      await write(page, 'dialog [name="passphrase"]', passphrase);
      await press(page, 'Enter');
      const words = await untilTrue(page, '[...document.querySelectorAll(".words li")]' +
        '.map((word) => word.textContent).join(" ")');
      await pressOn(page, 'dialog [type="submit"]');
      await untilClosed(page, button('hands', 'backup'));
      await pressOn(page, button('hands', 'qr'));
      await untilDialog(page);
      await press(page, 'Escape');
      await untilClosed(page, button('hands', 'qr'));

      // One dialog opens before the browser has told that the other is closed.
      await page.evaluate((qr, rename) => {
        const open = (selector) => {
          document.querySelector(selector).focus();
          document.querySelector(selector).click();
        };
        open(qr);
        document.querySelector('dialog').close();
        open(rename);
      }, button('hands', 'qr'), button('hands', 'rename'));
      await answerByKeys(page, { name: 'arms' });
      await untilClosed(page, button('arms', 'rename'));
      await removeByKeys(page, 'arms');
      await importByKeys(page, 'from-words', words, passphrase);
      await untilSays(page, key);
      await removeByKeys(page, 'from-words');
      await importByKeys(page, 'from-file', file, passphrase);
      await untilSays(page, key);
    });

    test('the records of a key are read, and a page is looked for', async () => {
      const address = `records/records.html#${encodeURIComponent(`https://${key}.key/`)}`;
      page = await openPage(browser, address);
      await untilSays(page, '192.0.2.1');
      await pressOn(page, '#understood');
      await untilTrue(page, 'document.getElementById("once").hidden');
      page = await openPage(browser, address);
      await untilSays(page, '192.0.2.1');
      await walkThrough(page);
      page = await openPage(browser, 'welcome/welcome.html');
      await write(page, '#address', `${key}.key`);
      await press(page, 'Enter');
      await untilTrue(page, 'location.pathname === "/records/records.html"');
      await untilSays(page, '192.0.2.1');
    });
  });
}
