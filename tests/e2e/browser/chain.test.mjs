// SPDX-License-Identifier: Apache-2.0
// The chain of the options page with the real program: each step's state, what mends a broken one,
// and the buttons for what the extension mends by itself. In sandbox.sh.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rename } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { browserNames, startBrowser, startInstalledBrowser } from './browsers.mjs';
import { click, examineChain, openPage, untilChainHolds, untilTrue } from './person.mjs';
import { startResolver } from './resolver.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
let resolver;

before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start();
  await world.install();
});
after(async () => {
  await world.close();
  resolver.close();
});

const storeOf = { chromium: '.local/share/pki/nssdb', firefox: '.mozilla/firefox/test.default' };
const manifestOf = {
  chromium: '.config/chromium/NativeMessagingHosts/org.dotkey.host.json',
  firefox: '.mozilla/native-messaging-hosts/org.dotkey.host.json',
};
const certutil = (name, ...options) =>
  execFileSync('certutil', [...options, '-d', `sql:${world.file(storeOf[name])}`],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const names = ['extension', 'manifest', 'program', 'ca', 'proxy', 'network'];
const allOk = Object.fromEntries(names.map((name) => [name, 'ok']));
const statesOf = (page) => page.evaluate(() => Object.fromEntries(
  [...document.querySelectorAll('#chain li')].map(({ dataset }) => [dataset.step, dataset.state])));
const step = (name) => `document.querySelector('#chain [data-step="${name}"]')`;
const untilState = (page, name, state) =>
  untilTrue(page, `${step(name)}?.dataset.state === '${state}'`);
const commandsOf = (page, name) => page.evaluate((wanted) =>
  [...document.querySelectorAll(`#chain [data-step="${wanted}"] code`)]
    .map(({ textContent }) => textContent), name);

for (const name of chosen) {
  describe(`${name}, with the program`, () => {
    let browser;
    after(async () => browser?.close());

    test('a way to the program that is missing is told, and taken again at the press of a button',
      async () => {
        const manifest = world.file(manifestOf[name]);
        await rename(manifest, `${manifest}.away`);
        browser = await startInstalledBrowser(name, world);
        const page = await openPage(browser, 'options/options.html');
        await untilState(page, 'manifest', 'warning');
        const { extension, program, ca, proxy } = await statesOf(page);
        assert.deepEqual([extension, program, ca, proxy],
          ['ok', 'untested', 'untested', 'untested']);
        assert.deepEqual(await commandsOf(page, 'manifest'), [`dotkey install --browser ${name}`]);
        await rename(`${manifest}.away`, manifest);
        await page.evaluate('document.querySelector("[data-mend=connect]").focus()');
        await untilChainHolds(page, '[data-mend="connect"]');
        assert.deepEqual(await statesOf(page), allOk);
        // Whoever pressed it is not left on a button that is gone.
        assert.equal(await page.evaluate('document.activeElement.id'), 'examine');
        assert.equal(await page.evaluate('document.documentElement.dataset.mode'), 'host');
        await page.close();
      });

    test('each step is known in part at once, and altogether when it is asked for', async () => {
      const page = await openPage(browser, 'options/options.html');
      const { network: _, ...before } = await statesOf(page);
      const { network: __, ...known } = allOk;
      assert.deepEqual(before, { ...known, ca: 'untested', proxy: 'untested' });
      await untilChainHolds(page);
      assert.deepEqual(await statesOf(page), allOk);
      assert.equal(await page.evaluate('document.querySelectorAll("#chain code").length'), 0);
      await page.close();
    });

    test('a CA that is not trusted any more is told, with the command that mends it', async () => {
      const [, nickname] = /^(dotkey local CA \w+)/m.exec(certutil(name, '-L'));
      certutil(name, '-D', '-n', nickname);
      const page = await openPage(browser, 'options/options.html');
      assert.match(await examineChain(page), /^Something fails/);
      await untilState(page, 'ca', 'broken');
      const [command] = await commandsOf(page, 'ca');
      assert.match(command, new RegExp(`dotkey install --browser ${name}$`));
      assert.match(await page.evaluate(`${step('ca')}.innerText`), new RegExp(storeOf[name]));
      const { extension, manifest, program } = await statesOf(page);
      assert.deepEqual([extension, manifest, program], ['ok', 'ok', 'ok']);
      await page.evaluate(() => {
        navigator.clipboard.writeText = async (text) => { document.body.dataset.copied = text; };
      });
      await click(page, '#chain [data-step="ca"] .command button');
      const copied = await untilTrue(page, 'document.body.dataset.copied');
      assert.equal(copied, command);
      execFileSync('sh', ['-c', copied], { env: world.env, stdio: 'pipe' });
      await untilChainHolds(page);
      assert.deepEqual(await statesOf(page), allOk);
      await page.close();
    });
  });

  describe(`${name}, without the program`, () => {
    let browser;
    before(async () => {
      browser = await startBrowser(name, { prefs: {
        // Or Firefox asks in a window of its own, which no page can answer.
        'extensions.webextOptionalPermissionPrompts': false } });
    });
    after(async () => browser?.close());

    test('relays that are gone are told, and set again at the press of a button', async () => {
      const page = await openPage(browser, 'options/options.html');
      assert.equal((await statesOf(page)).manifest, 'warning');
      const count = 'document.querySelectorAll("#relays li").length';
      for (let left = await page.evaluate(count); left > 0; --left) {
        await click(page, '#relays li button');
        await untilTrue(page, `${count} === ${left - 1}`);
      }
      await untilState(page, 'network', 'broken');
      assert.match(await page.evaluate(`${step('network')}.innerText`), /No relay is set/);
      await examineChain(page, '[data-mend="relays"]');
      assert.equal(await page.evaluate(count), 2);
      assert.doesNotMatch(await page.evaluate(`${step('network')}.innerText`), /No relay is set/);
      const { settings } = await page.evaluate(
        '(globalThis.browser ?? chrome).storage.local.get("settings")');
      assert.equal(settings.relays.length, 2);
      await page.close();
    });

    // In Chromium it is a person's to withhold, and no test's.
    if (name === 'firefox') {
      test('sites of keys that were not allowed are, at the press of a button', async () => {
        const page = await openPage(browser, 'options/options.html');
        assert.equal((await statesOf(page)).extension, 'ok');
        const origins = '{ origins: browser.runtime.getManifest().host_permissions }';
        assert.equal(await page.evaluate(`browser.permissions.remove(${origins})`), true);
        assert.match(await examineChain(page), /^Something fails/);
        await untilState(page, 'extension', 'broken');
        await page.bringToFront();
        await page.click('[data-mend="permit"]');
        await untilState(page, 'extension', 'ok');
        assert.equal(await page.evaluate(`browser.permissions.contains(${origins})`), true);
        await page.close();
      });
    }
  });
}
