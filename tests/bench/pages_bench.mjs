// SPDX-License-Identifier: Apache-2.0
// What a page costs through dotkey in real browsers: a page of ten resources, warm, beside the same
// server opened directly with a trusted certificate; the first visit to a key whose packet is in
// the cache; the core in the extension's own page. In tests/e2e/browser/sandbox.sh.
import { execFileSync } from 'node:child_process';

import { browserNames, startInstalledBrowser } from '../e2e/browser/browsers.mjs';
import { startResolver } from '../e2e/browser/resolver.mjs';
import { World } from '../e2e/browser/world.mjs';

const rounds = 40;
const visits = 8;
const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const resources = Array.from({ length: 10 }, (_, i) => `/part${i}.js`);
const page = `<!doctype html><title>Page</title><link rel="icon" href="data:,">
${resources.map((path) => `<script src="${path}"></script>`).join('')}`;
const part = `// ${'x'.repeat(10_000)}`;

function answer({ url }, response) {
  response.setHeader('cache-control', 'no-store');
  response.setHeader('content-type', url === '/' ? 'text/html' : 'text/javascript');
  response.end(url === '/' ? page : part);
  return true;
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** The same server under a name of the DNS, with a certificate of an authority that both trust. */
async function addDirect(world, number) {
  const host = `direct${number}.example`;
  const server = world.siteAt(host, `127.0.3.${number}`);
  await server.listen(await world.issuedCertificate(host, host), { answer });
  world.addresses.set(host, server.address);
  for (const folder of ['.local/share/pki/nssdb', '.mozilla/firefox/test.default']) {
    execFileSync('certutil', ['-A', '-d', `sql:${world.file(folder)}`, '-n', host, '-t', 'C,,',
      '-i', world.file(`${host}-ca.crt`)]);
  }
  return `https://${host}/`;
}

/** Milliseconds from the start of the navigation to the end of its load event. */
async function load(tab, url) {
  await tab.goto(url, { waitUntil: 'load' });
  for (;;) {
    const [ms, count] = await tab.evaluate(() => {
      const [navigation] = performance.getEntriesByType('navigation');
      return [navigation.loadEventEnd, performance.getEntriesByType('resource').length];
    });
    if (ms > 0) return count === 10 ? ms : Promise.reject(new Error(`${count} resources`));
  }
}

async function warmLoads(browser, urls) {
  const tab = await browser.browser.newPage();
  const times = urls.map(() => []);
  for (let round = -3; round < rounds; round++) {
    for (const [i, url] of urls.entries()) {
      const ms = await load(tab, url);
      if (round >= 0) times[i].push(ms);
    }
  }
  return times.map(median);
}

/** A new connection each, to a site that is new to the browser. */
async function firstVisits(browser, urls) {
  const times = [];
  for (const url of urls) {
    const tab = await browser.browser.newPage();
    times.push(await load(tab, url));
    await tab.close();
  }
  return median(times);
}

async function coreInBrowser(browser) {
  const tab = await browser.openExtensionPage('popup/popup.html');
  return tab.evaluate(async () => {
    const { loadCore } = await import('/core/driver.mjs');
    const { parseBase64 } = await import('/lib/bytes.js');
    const start = performance.now();
    const core = await loadCore(fetch('/core/dotkey-core.wasm'));
    const readyMs = performance.now() - start;
    const seed = new Uint8Array(32).fill(1);
    const packet = parseBase64(core.buildPacket(seed, 1e15, '@ 300 A 192.0.2.1').packet);
    const begin = performance.now();
    let count = 0;
    while (performance.now() - begin < 1000) {
      if (core.verifyPacket(packet).error !== undefined) throw new Error('the packet is refused');
      count++;
    }
    return { readyMs, perSecond: count / ((performance.now() - begin) / 1000) };
  });
}

async function measure(world, name) {
  const numbers = Array.from({ length: visits }, (_, i) => i + 1);
  const sites = [];
  for (const i of numbers) sites.push(await world.addSite(`site${i}-${name}`, { answer }));
  const directs = await Promise.all(numbers.map((i) => addDirect(world, i)));
  const browser = await startInstalledBrowser(name, world);
  try {
    // The packets of all come into the daemon's cache.
    for (const { key } of sites) await world.run('resolve', key);
    await load(await browser.browser.newPage(), directs[0]);  // whatever a browser does once
    await load(await browser.browser.newPage(), sites[0].url);
    const first = [await firstVisits(browser, directs.slice(1)),
      await firstVisits(browser, sites.slice(1).map(({ url }) => url))];
    const warm = await warmLoads(browser, [directs[0], sites[0].url]);
    const { readyMs, perSecond } = await coreInBrowser(browser);
    const cells = [...warm.map((ms) => ms.toFixed(1)), (warm[1] / warm[0]).toFixed(2),
      ...first.map((ms) => ms.toFixed(1)), (first[1] - first[0]).toFixed(1), readyMs.toFixed(1),
      perSecond.toFixed(0)];
    console.log(name.padEnd(10) + cells.map((cell) => cell.padStart(9)).join(''));
  } finally {
    await browser.close();
    for (const site of world.sites) site.close();
  }
}

console.log(`${''.padEnd(10)}  warm page load, ms         first visit, ms              the core`);
console.log(''.padEnd(10) + ['direct', 'dotkey', 'ratio', 'direct', 'dotkey', 'more', 'ready ms',
  'verify/s'].map((cell) => cell.padStart(9)).join(''));
for (const name of chosen) {
  const world = new World();
  const resolver = await startResolver(world.addresses);
  try {
    await world.start();
    await world.install();
    await measure(world, name);
  } finally {
    await world.close();
    resolver.close();
  }
}
