// SPDX-License-Identifier: Apache-2.0
// http:// below `.key`: only for a key without pins, only after the user said so for that key, and
// never any more once the key has a pin. With the real program, in sandbox.sh.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { browserNames, pollUntil, startInstalledBrowser } from './browsers.mjs';
import { click, openPage, untilTrue } from './person.mjs';
import { startResolver } from './resolver.mjs';
import { untilBlocked, untilOpen, untilText } from './tabs.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
const servers = [];
let resolver;

before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start();
  await world.install();
});
after(async () => {
  for (const server of servers) server.close();
  await world.close();
  resolver.close();
});

/** An HTTP server at port 80 of the site's address; `heard` are its requests. */
async function servePlain(site) {
  site.heard = [];
  const server = createServer((request, response) => {
    site.heard.push(`${request.method} ${request.headers.host} ${request.url}`);
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>Plain ${site.name}</title><link rel="icon" href="data:,">
      <script>fetch('/more')</script>`);
  });
  servers.push(server);
  await new Promise((resolve) => server.listen(80, site.address, resolve));
}

const httpOf = (site) => `http://${site.host}/`;

for (const name of chosen) {
  describe(name, () => {
    let browser;
    before(async () => {
      browser = await startInstalledBrowser(name, world);
      // It reads what is allowed when it starts, and is told of changes from then on.
      await pollUntil('a daemon runs', async () => (await world.daemonPid()) !== null);
    });
    after(async () => browser?.close());

    const untilPlain = (tab, site) => pollUntil(`${site.name} is open over http`, async () =>
      (await tab.evaluate('document.title').catch(() => '')) === `Plain ${site.name}` &&
      (await browser.addressOf(tab)).startsWith(httpOf(site)));
    const isOffered = (tab) =>
      tab.evaluate('!document.getElementById("plain").hidden').catch(() => false);

    async function pinlessSite(suffix) {
      const site = await world.addKey(`${suffix}-${name}`);
      await servePlain(site);
      await site.publish(`@ 300 A ${site.address}`);
      return site;
    }

    test('a key without pins opens over http after a person pressed the button', async () => {
      const site = await pinlessSite('plain');
      const tab = await browser.open(httpOf(site));
      await untilBlocked(browser, tab, site.url, 'site.unreachable');
      await pollUntil('http is offered', () => isOffered(tab));
      await tab.bringToFront();
      await pollUntil('the button has been in sight for a while', () =>
        tab.evaluate('!document.getElementById("open-plain").disabled'));
      // No script's click counts.
      await tab.evaluate('document.getElementById("open-plain").click()');
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.deepEqual((await world.run('allow-http')).keys.includes(site.key), false);
      assert.deepEqual(site.heard, []);
      await tab.click('#open-plain');
      await untilPlain(tab, site);
      await pollUntil('its script ran', () =>
        site.heard.includes(`GET ${site.host} /more`));

      const popup = await browser.openExtensionPage(
        `popup/popup.html?url=${encodeURIComponent(httpOf(site))}`);
      await untilText(browser, popup, 'neither verified nor encrypted');
      const title = await popup.evaluate(`(async () => {
        const { tabs, action } = globalThis.browser ?? chrome;
        const [tab] = await tabs.query({ url: '${httpOf(site)}*' });
        return action.getTitle({ tabId: tab.id });
      })()`);
      assert.match(title, /not verified, not encrypted/);
      await popup.close();

      await world.run('allow-http', site.key, '--undo');
      const heard = site.heard.length;
      const again = await browser.open(httpOf(site));
      await untilBlocked(browser, again, site.url, 'site.unreachable');
      assert.equal(site.heard.length, heard);
    });

    test('the popup lets a key without pins open over http, and takes it back', async () => {
      const site = await pinlessSite('switch');
      await untilBlocked(browser, await browser.open(site.url), site.url, 'site.unreachable');
      const popupOf = (url) => openPage(browser, `popup/popup.html?url=${encodeURIComponent(url)}`);
      const isAllowed = async () => (await world.run('allow-http')).keys.includes(site.key);
      const page = await popupOf(
        `${browser.extensionUrl('blocked/blocked.html')}#${encodeURIComponent(site.url)}`);
      await untilTrue(page, '!document.getElementById("http-part").hidden');
      assert.equal(await page.evaluate('document.getElementById("http").checked'), false);
      assert.equal(await page.evaluate('document.getElementById("open-http").hidden'), true);
      await click(page, '#http');
      await pollUntil('http is allowed', isAllowed);
      const address = await untilTrue(page, '!document.getElementById("open-http").hidden && ' +
        'document.getElementById("open-http").href');
      assert.equal(address, httpOf(site));
      await page.close();
      await untilPlain(await browser.open(address), site);

      const popup = await popupOf(httpOf(site));
      await untilTrue(popup, 'document.getElementById("http").checked');
      assert.equal(await popup.evaluate('document.getElementById("open-http").hidden'), true);
      await click(popup, '#http');
      await pollUntil('http is not allowed any more', async () => !(await isAllowed()));
      await popup.close();
      const heard = site.heard.length;
      await untilBlocked(browser, await browser.open(httpOf(site)), site.url, 'site.unreachable');
      assert.equal(site.heard.length, heard);
    });

    test('the popup offers no http where a pin decides', async () => {
      const site = await world.addSite(`decided-${name}`);
      await untilOpen(browser, await browser.open(site.url), site);
      const page = await openPage(browser,
        `popup/popup.html?url=${encodeURIComponent(site.url)}`);
      await untilTrue(page, '!document.getElementById("trace").hidden');
      assert.equal(await page.evaluate('document.getElementById("http-part").hidden'), true);
      const answer = await page.evaluate(`(globalThis.browser ?? chrome).runtime.sendMessage(
        { op: 'allow_http', body: { url: '${site.url}', allow: true } })`);
      assert.equal(answer.origin, null);
      await page.close();
    });

    test('the word for one key opens no other', async () => {
      const site = await pinlessSite('one');
      const other = await pinlessSite('other');
      await world.run('allow-http', site.key);
      await untilPlain(await browser.open(httpOf(site)), site);
      await untilBlocked(browser, await browser.open(httpOf(other)), other.url,
        'site.unreachable');
      assert.deepEqual(other.heard, []);
    });

    test('a key with a pin never goes over http, whatever was said before', async () => {
      const site = await pinlessSite('pinned');
      await world.run('allow-http', site.key);
      await untilPlain(await browser.open(httpOf(site)), site);
      const certificate = await world.certificate(site.name, site.host);
      await site.listen(certificate);
      await site.publish(`@ 300 A ${site.address}`, `_443._tcp 300 TLSA ${certificate.pin}`);
      const heard = site.heard.length;
      const tab = await browser.open(httpOf(site));
      await untilOpen(browser, tab, site);
      assert.equal(await browser.addressOf(tab), site.url);
      assert.equal(site.heard.length, heard);
    });

    test('a server that shows a certificate without a pin is offered over http too', async () => {
      const site = await pinlessSite('shown');
      await site.listen(await world.certificate(site.name, site.host));
      const tab = await browser.open(site.url);
      await untilBlocked(browser, tab, site.url, 'pin.no_records');
      await pollUntil('http is offered', () => isOffered(tab));
      const wrong = await world.addSite(`wrong-${name}`, { records: (s) => [
        `@ 300 A ${s.address}`, `_443._tcp 300 TLSA 3 1 1 ${'ab'.repeat(32)}`] });
      const blocked = await browser.open(wrong.url);
      await untilBlocked(browser, blocked, wrong.url, 'pin.mismatch');
      assert.equal(await isOffered(blocked), false);
    });

    test('an address of any length is explained, in the page and in the popup', async () => {
      const long = `?${'x'.repeat(5000)}`;
      const site = await pinlessSite('long');
      await site.listen(await world.certificate(site.name, site.host));
      const tab = await browser.open(site.url + long);
      await untilBlocked(browser, tab, site.url + long, 'pin.no_records');
      await pollUntil('http is offered', () => isOffered(tab));
      await tab.bringToFront();
      await pollUntil('the button has been in sight for a while', () =>
        tab.evaluate('!document.getElementById("open-plain").disabled'));
      await tab.click('#open-plain');
      await untilPlain(tab, site);
      assert.equal(await browser.addressOf(tab), httpOf(site) + long);

      const verified = await world.addSite(`verified-${name}`);
      await untilOpen(browser, await browser.open(verified.url + long), verified);
      const popup = await browser.openExtensionPage(
        `popup/popup.html?url=${encodeURIComponent(verified.url + long)}`);
      await untilText(browser, popup, 'Verified');
      await untilText(browser, popup, verified.key);
      await popup.close();
    });

    test('when the daemon does not answer, the blocked page stands and says so', async () => {
      const site = await pinlessSite('deaf');
      const tab = await browser.open(site.url);
      await untilBlocked(browser, tab, site.url, 'site.unreachable');
      await tab.bringToFront();
      await pollUntil('the button has been in sight for a while', () =>
        tab.evaluate('!document.getElementById("open-plain").disabled'));
      const pid = await world.daemonPid();
      process.kill(pid, 'SIGSTOP');
      try {
        await tab.click('#open-plain');
        await untilBlocked(browser, tab, site.url, 'host.lost');
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      assert.deepEqual(site.heard, []);
    });

    test('when the daemon is gone, http pages are closed too', async () => {
      const site = await pinlessSite('gone');
      await world.run('allow-http', site.key);
      await untilPlain(await browser.open(httpOf(site)), site);
      const pid = await world.daemonPid();
      process.kill(pid, 'SIGSTOP');
      for (const host of world.nativeHosts()) process.kill(host, 'SIGKILL');
      const heard = site.heard.length;
      try {
        const tab = await browser.open(httpOf(site));
        await pollUntil('the blocked page stands there', async () =>
          (await browser.addressOf(tab)).startsWith(browser.extensionUrl('blocked/')), 90_000);
        assert.equal(site.heard.length, heard);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    });

    test('no name of a key was asked for in the DNS', () => {
      assert.deepEqual([...resolver.names].filter((host) => /\.key$|^\w{52}$/.test(host)), []);
    });
  });
}
