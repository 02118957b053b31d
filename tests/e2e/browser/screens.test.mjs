// SPDX-License-Identifier: Apache-2.0
// Every screen in both browsers and both colour schemes: axe finds nothing serious on it, and its
// picture is left in build/e2e/screenshots (`./dev screenshots` puts them into docs/screenshots).
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { browserNames, root, startBrowser, startInstalledBrowser } from './browsers.mjs';
import {
  addRecord, click, fill, makeKey, openEditor, openPage, passphrase, pressOnKey, publish,
  untilChainHolds, untilSays, untilTrue, useRelay,
} from './person.mjs';
import { startResolver } from './resolver.mjs';
import { untilBlocked, untilOpen } from './tabs.mjs';
import { World } from './world.mjs';

const folder = path.join(root, 'build/e2e/screenshots');
const axe = await readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const world = new World();
let resolver, home, wrong;

const recordsOf = (site) => [`@ 300 A ${site.address}`,
  `_443._tcp 3600 TLSA ${site.certificate.pin}`, 'www 3600 CNAME @',
  '@ 3600 TXT "hello, this is me"'];

before(async () => {
  await mkdir(folder, { recursive: true });
  resolver = await startResolver(world.addresses);
  await world.start();
  await world.install();
  home = await world.addSite('home', { records: recordsOf });
  wrong = await world.addSite('wrong', { records: (site) =>
    [`@ 300 A ${site.address}`, `_443._tcp 300 TLSA 3 1 1 ${'ab'.repeat(32)}`] });
  await world.run('key', 'new', 'notes');
});
after(async () => {
  await world.close();
  resolver.close();
});

async function judge(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document,
    { resultTypes: ['violations'] }));
  return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

const prefs = (scheme) =>
  ({ 'layout.css.prefers-color-scheme.content-override': scheme === 'dark' ? 0 : 1 });

async function dress(page, name, scheme, [width, height]) {
  await page.setViewport({ width, height });
  if (name === 'chromium') {
    // Colours that are on their way to others are nobody's to judge.
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: 'reduce' }]);
  }
  const query = `matchMedia('(prefers-color-scheme: ${scheme})').matches`;
  assert.equal(await page.evaluate(query), true);
}

for (const name of browserNames) {
  for (const scheme of ['light', 'dark']) {
    describe(`${name}, ${scheme}`, () => {
      let browser;
      // Without a size there is no picture.
      const take = async (page, screen, size) => {
        await dress(page, name, scheme, size ?? [1000, 900]);
        if (size !== undefined) {
          await page.screenshot({ path: path.join(folder, `${screen}-${name}-${scheme}.png`) });
        }
        assert.deepEqual(await judge(page), [], screen);
        await page.close();
      };

      describe('with the program', () => {
        before(async () => {
          browser = await startInstalledBrowser(name, world, { prefs: prefs(scheme) });
          // What was drafted for the pictures before these.
          const page = await openPage(browser, 'keys/keys.html');
          await page.evaluate('(globalThis.browser ?? chrome).storage.local.clear()');
          await page.close();
          await home.publish(...recordsOf(home));
          await untilOpen(browser, await browser.open(home.url), home);
          await untilBlocked(browser, await browser.open(wrong.url), wrong.url, 'pin.mismatch');
        });
        after(async () => browser?.close());

        const screens = {
          'popup': ['popup/popup.html?url=', [372, 680]],
          'popup-keys': ['popup/popup.html?url=about:blank', [372, 360]],
          'keys': ['keys/keys.html', [1000, 900]],
          'make': ['keys/keys.html?do=make', [1000, 900]],
          'import': ['keys/keys.html?do=import', [1000, 900]],
          'network': ['network/network.html', [1000, 900]],
          'options': ['options/options.html', [1000, 800]],
          'welcome': ['welcome/welcome.html', [1000, 900]],
        };
        for (const [screen, [address, size]] of Object.entries(screens)) {
          test(screen, async () => {
            const full = screen === 'popup' ? address + encodeURIComponent(home.url) : address;
            const page = await openPage(browser, full);
            if (screen === 'popup') {
              await untilTrue(page, 'document.body.innerText.includes("Verified")');
            }
            if (screen === 'keys') {
              await untilTrue(page, 'document.querySelector(".key-card") !== null');
            }
            if (screen === 'options') await untilChainHolds(page);
            await take(page, screen, size);
          });
        }

        for (const [what, address, says] of [['blocked', () => wrong.url, 'Blocked'],
          ['malformed', () => 'https://not-a-key.key/', 'Not verified']]) {
          test(`popup, ${what}`, async () => {
            const page = await openPage(browser,
              `popup/popup.html?url=${encodeURIComponent(address())}`);
            await untilSays(page, says);
            await take(page, `popup-${what}`, what === 'blocked' ? [372, 680] : undefined);
          });
        }

        for (const act of ['backup', 'qr', 'rename', 'remove']) {
          test(`keys, ${act}`, async () => {
            const page = await openPage(browser, 'keys/keys.html');
            await pressOnKey(page, 'notes', act);
            await untilTrue(page, 'document.querySelector("dialog[open]") !== null');
            await take(page, `keys-${act}`);
          });
        }

        test('editor, empty and as a zone file with a fault', async () => {
          const { keys } = await world.run('key', 'list');
          const page = await openEditor(browser, keys.find((one) => one.name === 'notes').key);
          assert.deepEqual(await judge(page), []);
          await click(page, '#zone-tab');
          await fill(page, { '#zone': 'no record' });
          await untilSays(page, 'cannot be read');
          await take(page, 'editor-zone');
        });

        test('blocked', async () => {
          const page = await openPage(browser,
            `blocked/blocked.html#${encodeURIComponent(wrong.url)}`);
          await page.evaluate('document.querySelector("details").open = true');
          await take(page, 'blocked', [900, 860]);
        });

        test('editor', async () => {
          const page = await openEditor(browser, home.key);
          await addRecord(page, 'mail', 'MX', { preference: '10', exchange: 'mx.example.com.' });
          await page.evaluate('document.activeElement.blur()');
          await take(page, 'editor', [1000, 1060]);
        });

        test('pin', async () => {
          const page = await openEditor(browser, home.key);
          await page.evaluate('document.getElementById("pin").click()');
          await page.evaluate((server) => {
            document.getElementById('pin-server').value = server;
            document.getElementById('pin-fetch').click();
          }, `${home.address}:443`);
          await untilTrue(page, 'document.querySelector("[data-part=found]").hidden === false');
          await take(page, 'pin', [1000, 900]);
        });

        test('conflict', async () => {
          const page = await openEditor(browser, home.key);
          await home.publish(...recordsOf(home), 'there 300 A 192.0.2.2');
          await addRecord(page, 'here', 'A', { address: '192.0.2.1' });
          assert.equal(await publish(page), 'conflict');
          await page.evaluate('document.getElementById("conflict").scrollIntoView()');
          await take(page, 'conflict', [1000, 1060]);
        });
      });

      describe('without it', () => {
        let alone;
        before(async () => {
          alone = await startBrowser(name, { prefs: prefs(scheme) });
          await useRelay(alone, world.ready.relay);
        });
        after(async () => alone?.close());

        test('records', async () => {
          const page = await openPage(alone,
            `records/records.html#${encodeURIComponent(home.url)}`);
          await untilTrue(page, '!document.getElementById("found").hidden');
          await take(page, 'records', [900, 1000]);
        });

        test('pages before anything was done', async () => {
          for (const empty of ['keys/keys.html', 'network/network.html', 'welcome/welcome.html',
            'popup/popup.html?url=about:blank',
            `popup/popup.html?url=${encodeURIComponent(home.url)}`,
            'records/records.html#https%3A%2F%2Fnot-a-key.key%2F']) {
            await take(await openPage(alone, empty), empty);
          }
          await take(await openPage(alone, 'options/options.html'), 'options-alone', [1000, 900]);
        });

        test('keys', async () => {
          await makeKey(alone, 'travel', passphrase);
          const page = await openPage(alone, 'keys/keys.html');
          await untilTrue(page, 'document.querySelector(".key-card") !== null');
          await take(page, 'keys-alone', [1000, 700]);
        });

        test('a locked key, asked for its passphrase', async () => {
          const page = await openPage(alone, 'keys/keys.html');
          await pressOnKey(page, 'travel', 'backup');
          await click(page, 'dialog [value="words"]');
          assert.deepEqual(await judge(page), []);
          await click(page, 'dialog [value="cancel"]');
          await pressOnKey(page, 'travel', 'lock');
          await untilSays(page, 'Locked');
          assert.deepEqual(await judge(page), []);
          await pressOnKey(page, 'travel', 'lock');
          await untilTrue(page, 'document.querySelector("dialog[open]") !== null');
          await take(page, 'unlock', [1000, 700]);
        });
      });
    });
  }
}
