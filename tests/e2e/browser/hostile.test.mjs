// SPDX-License-Identifier: Apache-2.0
// A page of a key, and what a key publishes, against the extension: a site that tries to talk to
// it, to frame its pages and to open them, and records that try to be more than text.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserNames, startInstalledBrowser } from './browsers.mjs';
import { openEditor, openPage, untilTrue } from './person.mjs';
import { startResolver } from './resolver.mjs';
import { untilOpen } from './tabs.mjs';
import { World } from './world.mjs';

const world = new World();
let resolver, site, trap;

const html = '<img src=x onerror=document.title=1><script>document.title=1</script>';
// Turns the reading order; a Cyrillic letter that looks Latin.
const turned = '\\226\\128\\174gnp.exe';
const lookalike = '\\208\\176pple';

/** Whoever posts it: does a script of the page look at a message to its window? */
const looksAtMessages = (page) => page.evaluate(() => {
  const event = new MessageEvent('message');
  let looked = false;
  for (const field of ['data', 'origin', 'source']) {
    Object.defineProperty(event, field, {
      get() {
        looked = true;
        return null;
      },
    });
  }
  window.dispatchEvent(event);
  return looked;
});

before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start();
  await world.install();
  site = await world.addSite('hostile');
  trap = await world.addKey('trap');
  await trap.publish('@ 300 A 127.0.1.9', `@ 300 TXT "${html}"`, `@ 300 TXT "${turned}"`,
    `${lookalike} 300 A 127.0.1.9`, `@ 300 TXT "${lookalike}"`);
});
after(async () => {
  await world.close();
  resolver.close();
});

for (const name of browserNames) {
  describe(name, () => {
    let browser, tab;
    before(async () => {
      browser = await startInstalledBrowser(name, world);
      tab = await browser.open(site.url);
      await untilOpen(browser, tab, site);
    });
    after(async () => browser?.close());

    test('a page has no way to send the extension a message', async () => {
      const url = browser.extensionUrl('');
      const reached = await tab.evaluate((id) => {
        const { runtime } = globalThis.browser ?? globalThis.chrome ?? {};
        if (runtime?.sendMessage === undefined) return 'no interface';
        return new Promise((resolve) => {
          try {
            runtime.sendMessage(id, { op: 'keys.list' }, (answer) => {
              resolve(answer === undefined ? 'no answer' : JSON.stringify(answer));
            });
          } catch {
            resolve('refused');
          }
        });
      }, new URL(url).host);
      assert.ok(['no interface', 'no answer', 'refused'].includes(reached), reached);
    });

    test('no page of the extension looks at what is posted to its window', async () => {
      for (const path of ['blocked/blocked.html', 'editor/editor.html', 'keys/keys.html',
        'network/network.html', 'options/options.html', 'popup/popup.html', 'records/records.html',
        'welcome/welcome.html']) {
        const page = await browser.openExtensionPage(path);
        await untilTrue(page, 'document.title !== ""');
        assert.equal(await looksAtMessages(page), false, path);
        await page.evaluate('window.addEventListener("message", (event) => event.data)');
        assert.equal(await looksAtMessages(page), true, `${path}: a listener would be seen`);
        await page.close();
      }
    });

    for (const page of ['blocked/blocked.html', 'keys/keys.html', 'popup/popup.html',
      'editor/editor.html']) {
      test(`a page cannot frame ${page}`, async () => {
        await tab.evaluate((url) => new Promise((resolve) => {
          const frame = document.createElement('iframe');
          frame.onload = frame.onerror = resolve;
          frame.src = url;
          document.body.append(frame);
          setTimeout(resolve, 3000);
        }), browser.extensionUrl(page));
        for (const frame of tab.frames().slice(1)) {
          const text = await frame.evaluate('document.body?.innerText ?? ""').catch(() => '');
          const inside = await frame.evaluate('location.href').catch(() => '');
          assert.equal(inside.startsWith(browser.extensionUrl('')), false, text);
        }
        await tab.evaluate('document.querySelectorAll("iframe").forEach((f) => f.remove())');
      });
    }

    test('a page cannot open those of the extension, nor read its files', async () => {
      for (const file of ['keys/keys.html', 'core/dotkey-core.wasm', 'manifest.json']) {
        const read = await tab.evaluate((url) => fetch(url).then((r) => r.text(), () => 'refused'),
          browser.extensionUrl(file));
        assert.equal(read, 'refused', file);
      }
    });

    test('a page of the extension may ask only what it is for', async () => {
      const popup = await openPage(browser, 'popup/popup.html');
      const answers = await popup.evaluate(async () => {
        const { runtime } = globalThis.browser ?? globalThis.chrome;
        const key = { custody: 'host', name: 'hostile', key: 'y'.repeat(52) };
        const questions = [['keys.export', { ...key, form: 'hex' }], ['keys.remove', key],
          ['publish.start', { ...key, zone: '', baseUs: null }], ['settings.save', {}],
          ['toString'], ['__proto__']];
        return Promise.all(questions.map(async ([op, body]) =>
          runtime.sendMessage({ op, body }).then((answer) => answer ?? null, () => null)));
      });
      assert.deepEqual(answers, answers.map(() => null));
      await popup.close();
    });

    test('records are text, whatever they say', async () => {
      const pages = [
        await openPage(browser, `records/records.html#${encodeURIComponent(trap.url)}`),
        await openEditor(browser, trap.key)];
      await untilTrue(pages[0], '!document.getElementById("found").hidden');
      for (const page of pages) {
        assert.notEqual(await page.evaluate('document.title'), '1');
        assert.equal(await page.evaluate('document.querySelectorAll("img[src=x]").length'), 0);
        const text = await page.evaluate(`document.querySelector('main').innerText + ' ' +
          [...document.querySelectorAll('input')].map(({ value }) => value).join(' ')`);
        assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069\u200e\u200f]/);
        assert.match(text, /\\226\\128\\174/);
        // A name shows no letter that is not what it looks like.
        assert.match(text, /\\208\\176pple/);
      }
    });
  });
}
