// SPDX-License-Identifier: Apache-2.0
// What changes while browsers run: pins, packets, daemons, other browsers. With the real program,
// in sandbox.sh.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { answer, expected, serveSocket } from './application.mjs';
import { browserNames, pollUntil, startInstalledBrowser } from './browsers.mjs';
import { startResolver } from './resolver.mjs';
import { untilOpen, untilText } from './tabs.mjs';
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

const pinned = (site, ...certificates) => [`@ 300 A ${site.address}`,
  ...certificates.map(({ pin }) => `_443._tcp 300 TLSA ${pin}`)];

for (const name of chosen) {
  describe(name, () => {
    let browser;
    const start = async () => { browser = await startInstalledBrowser(name, world); };
    before(start);
    after(async () => browser?.close());

    test('the browser has started the daemon', async () => {
      await pollUntil('a daemon runs', async () => (await world.daemonPid()) !== null);
    });

    test('an application works: HTTP/2, uploads, downloads, WebSocket, a worker', async () => {
      const site = await world.addSite(`app-${name}`, { answer });
      serveSocket(site.server);
      const tab = await browser.open(site.url);
      await pollUntil('it has tried everything', async () =>
        (await tab.evaluate('document.body.dataset.outcome').catch(() => '')), 180_000);
      const outcome = await tab.evaluate('document.body.dataset.outcome');
      assert.deepEqual(JSON.parse(outcome), expected, outcome);
      await tab.close();
    });

    test('a server moves on to the second pin', async () => {
      const site = await world.addKey(`roll-${name}`);
      const [old, next] = [await world.certificate(`old-${name}`, site.host),
        await world.certificate(`next-${name}`, site.host)];
      await site.listen(old);
      await site.publish(...pinned(site, old, next));
      const tab = await browser.open(site.url);
      await untilOpen(browser, tab, site);
      site.useCertificate(next);
      site.requests.length = 0;
      const again = await browser.open(site.url);
      await untilOpen(browser, again, site);
      assert.ok(site.requests.length > 0);
    });

    test('a pin that is published anew ends what rested on the old one', async () => {
      const site = await world.addSite(`renewed-${name}`);
      await untilOpen(browser, await browser.open(site.url), site);
      const next = await world.certificate(`renewed2-${name}`, site.host);
      await site.publish(...pinned(site, next));
      const tab = await browser.open(site.url);
      await untilText(browser, tab, 'pin.mismatch');
      site.useCertificate(next);
      await tab.evaluate('document.getElementById("retry").click()');
      await untilOpen(browser, tab, site);
    });

    test('a page goes on when the daemon was killed and is back', async () => {
      const site = await world.addSite(`killed-${name}`);
      const tab = await browser.open(site.url);
      await untilOpen(browser, tab, site);
      const pid = await world.daemonPid();
      process.kill(pid, 'SIGKILL');
      await pollUntil('another daemon runs', async () => {
        const now = await world.daemonPid();
        return now !== null && now !== pid;
      });
      const load = 'fetch("/again").then((r) => r.ok, () => false)';
      await pollUntil('the open page reaches its site', () => tab.evaluate(load));
      const another = await browser.open(site.url);
      await untilOpen(browser, another, site);
    });

    test('when only the way to the daemon is lost, it is found again', async () => {
      const site = await world.addSite(`cut-${name}`);
      const pid = await world.daemonPid();
      for (const host of world.nativeHosts()) process.kill(host, 'SIGKILL');
      await untilOpen(browser, await browser.open(site.url), site);
      assert.equal(await world.daemonPid(), pid);
    });

    test('http becomes https before anything leaves the browser', async () => {
      const site = await world.addSite(`plain-${name}`);
      const tab = await browser.open(site.url.replace('https:', 'http:'));
      await untilOpen(browser, tab, site);
      assert.equal(await browser.addressOf(tab), site.url);
    });

    test('a packet that expired is asked for again, and stands in when nobody answers',
      async () => {
        const site = await world.addSite(`expired-${name}`);
        await untilOpen(browser, await browser.open(site.url), site);
        await browser.close();
        await world.stopDaemon();
        world.makePacketsOld();
        const next = await world.certificate(`expired2-${name}`, site.host);
        await world.run('publish', site.name, '--state-dir', world.file('another'),
          ...pinned(site, next).flatMap((record) => ['--record', record]));
        site.useCertificate(next);
        await start();
        await untilOpen(browser, await browser.open(site.url), site);

        await browser.close();
        await world.stopDaemon();
        world.makePacketsOld();
        world.testnet.kill('SIGSTOP');
        try {
          await start();
          await untilOpen(browser, await browser.open(site.url), site);
        } finally {
          world.testnet.kill('SIGCONT');
        }
      });

    test('no name of a key was asked for in the DNS', () => {
      assert.deepEqual([...resolver.names].filter((host) => /\.key$|^\w{52}$/.test(host)), []);
    });
  });
}

test('two browsers at once have a proxy port each', async () => {
  const site = await world.addSite('shared');
  const browsers = await Promise.all(chosen.map((name) => startInstalledBrowser(name, world)));
  try {
    const tabs = await Promise.all(browsers.map((browser) => browser.open(site.url)));
    await Promise.all(tabs.map((tab, i) => untilOpen(browsers[i], tab, site)));
    assert.equal((await world.run('status')).pages.browsers, browsers.length);
  } finally {
    for (const browser of browsers) await browser.close();
  }
});
