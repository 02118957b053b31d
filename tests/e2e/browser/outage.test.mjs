// SPDX-License-Identifier: Apache-2.0
// A site that was verified opens again, whatever kept it from loading once. With the real program,
// in sandbox.sh.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { browserNames, pollUntil, startInstalledBrowser } from './browsers.mjs';
import { startResolver } from './resolver.mjs';
import { untilBlocked, untilOpen } from './tabs.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
let resolver, stranger;

// A Firefox whose disk is slow asks the network too, and writes less before it ends. Here a page is
// to come from the cache.
const prefs = { 'network.http.rcwn.enabled': false, 'browser.cache.max_shutdown_io_lag': 60 };

/** A page of another origin, without TLS. */
async function startStranger() {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>Stranger</title><link rel="icon" href="data:,">');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.url = `http://127.0.0.1:${server.address().port}/`;
  return server;
}

before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start();
  await world.install();
  stranger = await startStranger();
});
after(async () => {
  stranger?.close();
  await world.close();
  resolver.close();
});

for (const name of chosen) {
  describe(name, () => {
    let browser;
    const start = async () => {
      browser = await startInstalledBrowser(name, world, { prefs });
      // What is allowed from then on reaches it.
      await pollUntil('a daemon runs', async () => (await world.daemonPid()) !== null);
    };
    before(start);
    after(async () => browser?.close());

    async function openStranger() {
      const tab = await browser.open(stranger.url);
      await pollUntil('the stranger is there', async () =>
        (await tab.evaluate('document.title').catch(() => '')) === 'Stranger');
      return tab;
    }

    const textOfPopup = async (url) => {
      const popup = await browser.openExtensionPage(
        `popup/popup.html?url=${encodeURIComponent(url)}`);
      const text = await pollUntil('the popup is filled', () => popup.evaluate(
        'document.querySelector("main").ariaBusy === null && document.body.innerText'));
      await popup.close();
      return text;
    };

    test('a server that was down for a moment', async () => {
      const site = await world.addSite(`down-${name}`);
      const tab = await browser.open(site.url);
      await untilOpen(browser, tab, site);
      site.close();
      tab.reload().catch(() => {});
      await untilBlocked(browser, tab, site.url, 'site.unreachable');
      assert.match(await textOfPopup(await browser.addressOf(tab)), /Blocked/);
      await site.listen(site.certificate);
      await tab.evaluate('document.getElementById("retry").click()');
      await untilOpen(browser, tab, site);
      assert.match(await textOfPopup(site.url), /Verified/);
      await untilOpen(browser, await browser.open(site.url), site);
    });

    test('a stranger who has its proxy refuse something', async () => {
      const site = await world.addSite(`victim-${name}`);
      const tab = await browser.open(site.url);
      await untilOpen(browser, tab, site);
      const attacker = await openStranger();
      await attacker.evaluate((url) => new Promise((resolve) => {
        const socket = new WebSocket(url);
        socket.onopen = socket.onerror = socket.onclose = resolve;
      }), `ws://${site.host}:443/`);
      tab.reload().catch(() => {});
      await pollUntil('it was asked for', () =>
        site.requests.filter((line) => line === 'GET /').length >= 2);
      await untilOpen(browser, await browser.open(site.url), site);
      await untilOpen(browser, tab, site);
      assert.match(await textOfPopup(site.url), /Verified/);
    });

    if (name === 'firefox') {
      // Chrome has words for each; Firefox has numbers.
      test('a link without a page, one that is stopped and a download leave the page there',
        async () => {
          let hold;
          const held = new Promise((resolve) => { hold = resolve; });
          const site = await world.addSite(`linked-${name}`, { answer(request, response) {
            if (request.url === '/nothing') response.writeHead(204).end();
            else if (request.url === '/slow') hold();
            else if (request.url === '/file') {
              response.setHeader('content-disposition', 'attachment; filename=file.txt');
              response.end('file');
            } else return false;
            return true;
          } });
          const tab = await browser.open(site.url);
          await untilOpen(browser, tab, site);
          const follow = async (path) => {
            await tab.evaluate((to) => { location.href = to; }, path);
            await pollUntil(`${path} was asked for`, () => site.requests.includes(`GET ${path}`));
          };
          await follow('/nothing');
          await follow('/file');
          await follow('/slow');
          await held;
          await tab.evaluate('window.stop()');
          // What would replace the page does so at once; a load from its server takes longer.
          await tab.evaluate('fetch("/after")');
          await new Promise((resolve) => setTimeout(resolve, 1000));
          assert.equal(await browser.addressOf(tab), site.url);
          assert.ok(site.requests.includes('GET /after'));
        });
    }

    test('a page in the cache of a browser that was started again', async () => {
      const site = await world.addSite(`kept-${name}`, { answer(request, response) {
        if (request.url === '/') response.setHeader('cache-control', 'max-age=3600');
        return false;
      } });
      await untilOpen(browser, await browser.open(site.url), site);
      await browser.close();
      site.requests.length = 0;
      await start();
      await untilOpen(browser, await browser.open(site.url), site);
      assert.equal(site.requests[0], 'HEAD /');
    });

    /** Has a page of another origin ask for hosts, and waits until it has its answers. */
    async function askForAll(hosts) {
      const attacker = await openStranger();
      for (let i = 0; i < hosts.length; i += 50) {
        await attacker.evaluate((some) => Promise.all(some.map((host) => new Promise((resolve) => {
          const image = new Image();
          image.onload = image.onerror = resolve;
          image.src = `https://${host}/image`;
        }))), hosts.slice(i, i + 50));
      }
      await attacker.close();
    }

    test('a page that asks for more hosts than are remembered', async () => {
      const site = await world.addSite(`evicted-${name}`);
      const tab = await browser.open(site.url);
      await untilOpen(browser, tab, site);
      await askForAll(Array.from({ length: 250 }, (_, i) => `n${i}.key`));
      await untilOpen(browser, await browser.open(site.url), site);
    });

    test('a page that opens more sites than are remembered', async () => {
      const site = await world.addSite(`crowded-${name}`);
      const tab = await browser.open(site.url);
      await untilOpen(browser, tab, site);
      const crowd = await world.addSite(`crowd-${name}`, { hosts: (s) => [`*.${s.host}`],
        records: (s) => [`@ 300 A ${s.address}`, '* 300 CNAME @',
          `_443._tcp 300 TLSA ${s.certificate.pin}`] });
      await askForAll(Array.from({ length: 600 }, (_, i) => `n${i}.${crowd.host}`));
      assert.ok(crowd.requests.length > 512, `${crowd.requests.length} were opened`);
      tab.reload().catch(() => {});
      await untilOpen(browser, await browser.open(site.url), site);
      await untilOpen(browser, tab, site);
    });
  });
}
