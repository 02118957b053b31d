// SPDX-License-Identifier: Apache-2.0
// The extension in real browsers against a program that is scripted to lie.
import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { browserNames, pollUntil, root, startBrowser } from './browsers.mjs';
import { keyOf, Stage, zonePacket } from './scripted.mjs';

const screenshots = path.join(root, 'build/e2e/screenshots');
const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;

const flip = (bytes) => {
  const changed = Uint8Array.from(bytes);
  changed[changed.length - 1] ^= 1;
  return changed;
};

async function prepareStage() {
  const stage = await new Stage().prepare();
  const other = await stage.certificate('other', `${keyOf(1)}.key`);
  const lies = {
    forged: ({ packets }) => ({ packets: [flip(packets[0])] }),
    foreign: ({ zone }) => ({ packets: [zonePacket(9, zone)] }),
    mismatch: () => ({ chain: [other] }),
  };
  const urls = { good: await stage.addSite(1) };
  let number = 2;
  for (const [name, lie] of Object.entries(lies)) {
    urls[name] = await stage.addSite(number++, lie);
  }
  const ignoring = (lie) => (honest) => ({ ...lie(honest), ignores_verdict: true });
  urls.ignored = await stage.addSite(number++, ignoring(lies.mismatch));
  urls.silent = await stage.addSite(number++, () => ({ silent: true }));
  urls.goodPart = await stage.addSite(number++);
  urls.ignoredPart = await stage.addSite(number++, ignoring(lies.mismatch));
  urls.silentPart = await stage.addSite(number++, () => ({ silent: true }));
  urls.turning = await stage.addSite(number++, undefined, ignoring(lies.mismatch));
  return { stage, urls, program: await stage.write() };
}

for (const name of chosen) {
  describe(name, () => {
    let browser, stage, urls, program;

    before(async () => {
      ({ stage, urls, program } = await prepareStage());
      browser = await startBrowser(name, { program, caFile: stage.file('ca.crt') });
      await mkdir(screenshots, { recursive: true });
      await pollUntil('the extension says hello',
        async () => (await stage.log()).some((entry) => entry.hello));
    });
    after(async () => {
      await browser?.close();
      await rm(stage.folder, { recursive: true });
    });

    const verdictOf = async (url) => {
      const { host } = new URL(url);
      const entry = (await stage.log()).find((e) => e.host === host && e.verdict !== undefined);
      return entry?.verdict;
    };
    const blockedAddress = (url) =>
      `${browser.extensionUrl('blocked/blocked.html')}#${encodeURIComponent(url)}`;
    const untilBlocked = (tab, url) => pollUntil(`${url} is blocked`,
      async () => (await browser.addressOf(tab)) === blockedAddress(url));
    const hasLoaded = async (url) => (await stage.log()).some(
      (e) => e.request === '/script-ran' && e.host === new URL(url).host);

    test('a page whose certificate is pinned opens', async () => {
      const tab = await browser.open(urls.good);
      await pollUntil('the page is there', async () =>
        (await tab.evaluate('document.title').catch(() => '')) === 'Site of a key');
      assert.deepEqual((await verdictOf(urls.good)).allow, true);
      await pollUntil('its script ran', () => hasLoaded(urls.good));
      const scheme = await browser.open(urls.good.replace('https:', 'http:'));
      await pollUntil('http became https', async () =>
        (await browser.addressOf(scheme)) === urls.good);
    });

    const denials = { forged: 'record.signature_invalid', foreign: 'evidence.packet_missing',
      mismatch: 'pin.mismatch' };
    for (const [lie, slug] of Object.entries(denials)) {
      test(`a lying program is refused with ${slug}, and the blocked page says so`, async () => {
        const tab = await browser.open(urls[lie]);
        await untilBlocked(tab, urls[lie]);
        const { allow, slug: told } = await verdictOf(urls[lie]);
        assert.deepEqual({ allow, told }, { allow: false, told: slug });
        await pollUntil('the page names the cause',
          async () => (await tab.evaluate('document.body.textContent')).includes(slug));
        assert.equal(await hasLoaded(urls[lie]), false);
      });
    }

    test('a program that opens the page in spite of a refusal is not obeyed', async () => {
      const tab = await browser.open(urls.ignored);
      await untilBlocked(tab, urls.ignored);
      assert.equal(await hasLoaded(urls.ignored), false);
    });

    test('a program that shows no evidence is not obeyed', async () => {
      const tab = await browser.open(urls.silent);
      await untilBlocked(tab, urls.silent);
      // Chrome cannot hold the response; it replaces the page when the headers are there.
      if (name === 'firefox') assert.equal(await hasLoaded(urls.silent), false);
    });

    if (name === 'firefox') {
      const ask = (tab, url) => tab.evaluate((address) =>
        fetch(address, { mode: 'no-cors' }).then(() => true, () => false), url);
      const openGood = async (url) => {
        const tab = await browser.open(url);
        await pollUntil('the page is there', async () =>
          (await tab.evaluate('document.title').catch(() => '')) === 'Site of a key');
        return tab;
      };

      test('parts of a page are asked for only of sites that are allowed', async () => {
        const tab = await openGood(urls.good);
        const came = {};
        for (const site of ['goodPart', 'ignoredPart', 'silentPart']) {
          came[site] = await ask(tab, `${urls[site]}part`);
        }
        assert.deepEqual(came, { goodPart: true, ignoredPart: false, silentPart: false });
        const asked = (await stage.log()).filter((entry) => entry.request === '/part');
        assert.deepEqual(asked.map(({ host }) => host), [new URL(urls.goodPart).host]);
      });

      test('a part that is under way when its site is refused does not come', async () => {
        const tab = await openGood(urls.turning);
        const { host } = new URL(urls.turning);
        assert.equal(await ask(tab, `${urls.turning}turn`), true);
        // A connection from before may serve some.
        let count = 0;
        while (await ask(tab, `${urls.turning}part${count}`)) assert.ok(++count < 20);
        const log = (await stage.log()).filter((entry) => entry.host === host);
        const refusal = log.findIndex(({ verdict }) => verdict?.allow === false);
        assert.notEqual(refusal, -1);
        // The program serves it in spite of the refusal, if Firefox still asks for it.
        const arrived = log.findIndex(({ request }) => request === `/part${count}`);
        assert.ok(arrived === -1 || arrived > refusal, 'it came before the refusal');
        assert.equal(await ask(tab, `${urls.turning}after`), false);
      });
    }

    test('a bare key is redirected to its host', async () => {
      const tab = await browser.open(urls.good.replace('.key/', '/'));
      await pollUntil('the address has its .key', async () =>
        (await browser.addressOf(tab)) === urls.good);
    });

    test('the popup and the blocked page are readable, in light and dark', async () => {
      for (const scheme of ['light', 'dark']) {
        const shown = scheme === 'dark' && name === 'firefox' ? await startDarkFirefox() : browser;
        const popup = await shown.openExtensionPage(
          `popup/popup.html?url=${encodeURIComponent(urls.good)}`);
        await look(popup, scheme, 360, 430);
        await pollUntil('the popup is filled', async () =>
          (await popup.evaluate('document.querySelector("main").ariaBusy')) === null);
        assert.ok((await popup.evaluate('document.body.innerText')).includes('Verified'));
        await popup.screenshot({ path: path.join(screenshots, `popup-${name}-${scheme}.png`) });
        const blocked = await shown.openExtensionPage(
          `blocked/blocked.html#${encodeURIComponent(urls.mismatch)}`);
        await look(blocked, scheme, 900, 780);
        await pollUntil('the page names the cause', async () =>
          (await blocked.evaluate('document.body.textContent')).includes('pin.mismatch'));
        await blocked.evaluate('document.querySelector("details").open = true');
        await blocked.screenshot({ path: path.join(screenshots, `blocked-${name}-${scheme}.png`) });
        if (shown !== browser) await shown.close();
      }
    });

    async function look(tab, scheme, width, height) {
      await tab.setViewport({ width, height });
      if (name === 'chromium') {
        await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      }
      const query = `matchMedia('(prefers-color-scheme: ${scheme})').matches`;
      assert.equal(await tab.evaluate(query), true);
    }

    // Firefox takes its scheme when it starts. It has to see both sites anew.
    async function startDarkFirefox() {
      const dark = await startBrowser(name, { program, caFile: stage.file('ca.crt'),
        prefs: { 'layout.css.prefers-color-scheme.content-override': 0 } });
      for (const url of [urls.good, urls.mismatch]) {
        const before = (await stage.log()).length;
        await dark.open(url);
        await pollUntil(`${url} is decided`, async () =>
          (await stage.log()).slice(before).some((entry) => entry.verdict !== undefined));
      }
      return dark;
    }
  });
}
