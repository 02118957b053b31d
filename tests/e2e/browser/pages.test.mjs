// SPDX-License-Identifier: Apache-2.0
// Pages below `.key` in real browsers, with the real program: `dotkey install`, packets published
// through a DHT on loopback, and HTTPS servers. In sandbox.sh, where the test is the only resolver.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserNames, pollUntil, startInstalledBrowser } from './browsers.mjs';
import { blocked, opening } from './cases.mjs';
import { startResolver } from './resolver.mjs';
import { untilBlocked, untilOpen } from './tabs.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
const made = new Map();
let resolver;

before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start();
  await world.install();
  await Promise.all([...opening, ...blocked].map(async (one) =>
    made.set(one.what, await one.make(world))));
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

    for (const { what } of opening) {
      test(`a site with ${what} opens`, async () => {
        const { site, title, url } = made.get(what);
        site.requests.length = 0;
        const tab = await browser.open(url);
        await untilOpen(browser, tab, { name: title ?? site.name });
        await pollUntil('its script ran', () => site.requests.includes('GET /script-ran'));
        await tab.close();
      });
    }

    for (const { what, slug } of blocked) {
      test(`a site with ${what} is blocked: ${slug}`, async () => {
        const { site, url } = made.get(what);
        site.requests.length = 0;
        const tab = await browser.open(url);
        await untilBlocked(browser, tab, url, slug);
        assert.deepEqual(site.requests, []);
        await tab.close();
      });
    }

    test('no name of a key was asked for in the DNS', () => {
      assert.deepEqual([...resolver.names].filter((host) => /\.key$|^\w{52}$/.test(host)), []);
    });
  });
}
