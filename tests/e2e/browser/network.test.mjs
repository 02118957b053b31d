// SPDX-License-Identifier: Apache-2.0
// The network page beside what the program says of itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { browserNames, pollUntil, startInstalledBrowser } from './browsers.mjs';
import { openPage, untilTrue } from './person.mjs';
import { startResolver } from './resolver.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const nodes = 6;
const world = new World();
let resolver;

before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start({ nodes });
  await world.install();
});
after(async () => {
  await world.close();
  resolver.close();
});

/** The numbers of a chart, as they are read out: [[head, …], …]. */
const rowsOf = (page, chart) => page.evaluate((id) =>
  [...document.querySelectorAll(`#${id} tbody tr`)].map((row) =>
    [...row.children].map(({ textContent }) => textContent)), chart);

const sum = (rows) => rows.reduce((total, [, count]) => total + Number(count), 0);

for (const name of chosen) {
  test(`${name} shows the nodes that the program knows, by nearness and by time`, async () => {
    const browser = await startInstalledBrowser(name, world);
    try {
      const { dht } = await pollUntil('the program knows the network', async () => {
        const status = await world.run('status').catch(() => null);
        return status?.dht.nodes === nodes && status;
      });
      const page = await openPage(browser, 'network/network.html');
      await untilTrue(page, `document.querySelector('#tiles b').textContent === '${nodes}'`);
      const buckets = await rowsOf(page, 'buckets');
      assert.deepEqual(buckets.map(([, count]) => Number(count)), dht.buckets);
      assert.equal(sum(buckets), nodes);
      const trips = await rowsOf(page, 'trips');
      assert.deepEqual([trips[0][0], trips.at(-1)[0]], ['< 25', '≥ 1,600']);
      // Of nodes on this machine each answered at some time.
      assert.equal(sum(trips), nodes);
      const columns = await page.evaluate(() => [...document.querySelectorAll('.columns')]
        .map((chart) => chart.querySelectorAll('.bar-value').length));
      assert.deepEqual(columns, [buckets.length, trips.length]);
    } finally {
      await browser.close();
    }
  });
}
