// SPDX-License-Identifier: Apache-2.0
// Pages below `.key` in real browsers, with the real program: `dotkey install`, packets published
// through a DHT on loopback, and HTTPS servers. In sandbox.sh, where the test is the only resolver.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserNames, pollUntil, startInstalledBrowser } from './browsers.mjs';
import { startResolver } from './resolver.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;

// [what is published, how its site differs, the slug or null when the page opens]
const plain = [
  ['the pinned certificate', {}, null],
  ['another certificate', { records: (site) => [`@ 300 A ${site.address}`,
    `_443._tcp 300 TLSA 3 1 1 ${'ab'.repeat(32)}`] }, 'pin.mismatch'],
];

const world = new World();
const sites = new Map();
let resolver;

before(async () => {
  resolver = await startResolver();
  await world.start();
  await world.install();
  await Promise.all(plain.map(async ([what, changes], i) =>
    sites.set(what, await world.addSite(`plain${i}`, changes))));
});
after(async () => {
  await world.close();
  resolver.close();
});

for (const name of chosen) {
  describe(name, () => {
    let browser;
    before(async () => { browser = await startInstalledBrowser(name, world); });
    after(async () => browser?.close());

    const titleOf = (tab) => tab.evaluate('document.title').catch(() => '');
    const textOf = (tab) => tab.evaluate('document.body.textContent').catch(() => '');
    const untilOpen = (tab, site) => pollUntil(`${site.name} is open`, async () =>
      (await titleOf(tab)) === `Site ${site.name}`);
    const untilBlocked = async (tab, url, slug) => {
      const address = `${browser.extensionUrl('blocked/blocked.html')}#${encodeURIComponent(url)}`;
      await pollUntil(`${url} is blocked`, async () => (await browser.addressOf(tab)) === address);
      await pollUntil(`the page names ${slug}`, async () => (await textOf(tab)).includes(slug));
    };

    for (const [what, , slug] of plain) {
      test(`a site with ${what} ${slug === null ? 'opens' : `is blocked: ${slug}`}`, async () => {
        const site = sites.get(what);
        site.requests.length = 0;
        const tab = await browser.open(site.url);
        if (slug === null) {
          await untilOpen(tab, site);
          await pollUntil('its script ran', () => site.requests.includes('GET /script-ran'));
        } else {
          await untilBlocked(tab, site.url, slug);
          assert.deepEqual(site.requests, []);
        }
        await tab.close();
      });
    }

    test('no name of a key was asked for in the DNS', () => {
      assert.deepEqual([...resolver.names].filter((host) => host.endsWith('.key')), []);
    });
  });
}
