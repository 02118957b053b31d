// SPDX-License-Identifier: Apache-2.0
// Whatever breaks in the extension, in the browser's way to the program or in the program itself:
// nothing below `.key` opens, and no such name is asked for. With the real program, in sandbox.sh,
// where the test is the only resolver.
import assert from 'node:assert/strict';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { browserNames, pollUntil, stagedExtension, startInstalledBrowser } from './browsers.mjs';
import { startResolver } from './resolver.mjs';
import { untilBlocked, untilOpen, untilText } from './tabs.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
let resolver;

before(async () => {
  resolver = await startResolver();
  await world.start();
  await world.install();
});
after(async () => {
  await world.close();
  resolver.close();
});

const main = 'background/main.js';
const intercept = 'platform/intercept.js';
const pac = 'proxy/pac.js';
const longest_ms = 20_000;  // the extension waits for the program for 15
const throws = `{ throw new Error('broken'); }`;
const rejects = `Promise.reject(new Error('broken'))`;
const startOfPac = 'function FindProxyForURL(url, host) {';
// Something else in the place of what finds the program's port.
const finding = (findPort) =>
  [intercept, 'return proxyBy(findPort)', `return proxyBy(${findPort})`];

// Each: [what breaks, file, what stands there, what stands there instead].
const breaksOfAll = [
  ['a core that does not load', main, 'core/dotkey-core.wasm', 'core/missing.wasm'],
  ['a memory of sites that cannot be read', 'background/sites.js',
    'webextension.storage.session.get(this.#storageKey)', rejects],
  ['a memory of sites that cannot be written', 'background/sites.js',
    'webextension.storage.session.set({ [this.#storageKey]: [...this.#entries] })', rejects],
];
const breaks = {
  chromium: [
    ['a PAC script that is no script', pac, startOfPac, `function ( ${startOfPac}`],
    ['a PAC script that throws', pac, startOfPac, `${startOfPac} ${throws}`],
    ['a PAC script that throws inside', pac, 'host = host.toLowerCase()', throws],
    ['a PAC script whose answer is no text', pac,
      "return 'PROXY 127.0.0.1:${usable ? port : deadPort}'", 'return 42'],
    ['a PAC script without an answer', pac, startOfPac, `${startOfPac} return undefined;`],
    ['a proxy port that is none', main, 'openGate(proxyPort)', "openGate('none')"],
    ['a storage that fails', intercept, "chrome.storage.local.get('proxyOfTheRest')", rejects],
  ],
  firefox: [
    ['a session whose port cannot be asked for', main, 'session.hello?.proxyPort ?? null',
      `(() => ${throws})()`],
    ['a search for the port that throws', ...finding(`() => ${throws}`)],
    ['a search for the port whose promise fails', ...finding(`() => ${rejects}`)],
    ['a search for the port without an answer', ...finding('() => undefined')],
    ['a search for the port that never ends', ...finding('() => new Promise(() => {})')],
    ['a search for the port that is no function', ...finding('null')],
    ['a search for the port that answers for Firefox', ...finding("() => ({ type: 'direct' })")],
    ['a search for the port that promises nonsense', ...finding(
      "async () => ({ type: 'http', host: '127.0.0.1', port: 1, proxyDNS: true })")],
    ['a proxy port that is none', main, 'session.hello?.proxyPort ?? null', "'none'"],
  ],
};

// The smallest module whose function does nothing but trap, asked in the place of the core.
const trappingModule = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0,
  7, 5, 1, 1, 0x66, 0, 0, 10, 5, 1, 3, 0, 0, 0x0b];
const trap = ['a core that traps', 'core/driver.mjs', "return this.#call('dotkey_decide', host",
  `const trap = new WebAssembly.Module(new Uint8Array([${trappingModule}]));
    new WebAssembly.Instance(trap).exports.f();
    return this.#call('dotkey_decide', host`];

/** A copy of the extension with one thing in it replaced. */
async function breakExtension(name, [, file, from, to]) {
  const folder = world.file(`broken-${name}`);
  await rm(folder, { recursive: true, force: true });
  await cp(stagedExtension(name === 'chromium' ? 'chrome' : name), folder, { recursive: true });
  const text = await readFile(path.join(folder, file), 'utf8');
  assert.ok(text.includes(from), `${file} has no ${from}`);
  await writeFile(path.join(folder, file), text.replace(from, () => to));
  return folder;
}

/** An extension that takes Chrome's proxy settings: the one that was installed last has them. */
async function writeRival() {
  const folder = world.file('rival');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify({ name: 'rival', version: '1',
    manifest_version: 3, permissions: ['proxy'], background: { service_worker: 'rival.js' } }));
  await writeFile(path.join(folder, 'rival.js'),
    "chrome.proxy.settings.set({ value: { mode: 'direct' } });");
  return folder;
}

/** A page elsewhere that leads to `hosts` in every way that makes a browser go ahead. */
async function serveLinks(hosts) {
  const links = hosts.flatMap((host) => [
    `<link rel="dns-prefetch" href="//dns.${host}">`,
    `<link rel="preconnect" href="https://ahead.${host}">`,
    `<link rel="prefetch" href="https://prefetch.${host}/">`,
    `<a href="https://link.${host}/">link</a><a href="http://plain.${host}/">link</a>`,
    `<img src="https://image.${host}/"><img src="http://plainimage.${host}/">`,
    `<iframe src="https://frame.${host}/"></iframe>`,
    `<script>fetch('https://fetch.${host}/', { mode: 'no-cors' }).catch(() => {});
      new WebSocket('wss://socket.${host}/'); new WebSocket('ws://plainsocket.${host}/');
      navigator.sendBeacon('https://beacon.${host}/', 'x');</script>`]);
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>Links</title>${links.join('')}`);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

for (const name of chosen) {
  describe(name, () => {
    let browser, site, links;
    before(async () => {
      site = await world.addSite(`site-${name}`);
      links = await serveLinks([site.host]);
    });
    afterEach(async () => {
      await browser?.close();
      browser = undefined;
    });
    after(() => links?.close());

    // Without what an earlier extension left: Chrome keeps its proxy and its script.
    const start = async (options = {}) => {
      const profile = world.file('.config/chromium/Default');
      if (name === 'chromium') await rm(profile, { recursive: true, force: true });
      browser = await startInstalledBrowser(name, world, options);
      resolver.names.clear();
      site.requests.length = 0;
    };
    // To the end of each, whatever that is, as far as it has one.
    const openAll = async (patience_ms = 5_000) => {
      const hosts = [site.host, `www.${site.host}`, `${site.host}.`, site.key, 'key'];
      const urls = hosts.flatMap((host) => [`http://${host}/`, `https://${host}/`]);
      await Promise.all([...urls, links.url].map(async (url) => {
        const tab = await browser.browser.newPage();
        await tab.goto(url, { timeout: patience_ms }).catch(() => {});
      }));
      // A query that went ahead of a page had its time while the page came or did not.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    };
    const askedFor = () =>
      [...resolver.names].filter((host) => host.includes(site.key) || host === 'key');
    const assertClosed = async () => {
      const asked = askedFor();
      assert.deepEqual({ asked, requests: site.requests }, { asked: [], requests: [] });
    };

    test('this test sees a name that leaves the browser', async () => {
      await start();
      const tab = await browser.browser.newPage();
      await tab.goto('http://canary.example/').catch(() => {});
      assert.ok(resolver.names.has('canary.example'));
    });

    for (const change of [...breaksOfAll, ...breaks[name]]) {
      test(`${change[0]} opens nothing`, async () => {
        await start({ extension: await breakExtension(name, change), isBroken: true });
        await openAll();
        // A key without `.key` is kept from the DNS by the proxy alone (docs/THREAT_MODEL.md).
        resolver.names.delete(site.key);
        await assertClosed();
      });
    }

    test('a core that traps opens nothing, and the page says so', async () => {
      await start({ extension: await breakExtension(name, trap) });
      await untilBlocked(browser, await browser.open(site.url), site.url, 'evidence.undecided');
      await openAll();
      // A key without `.key` is kept from the DNS by the proxy alone (docs/THREAT_MODEL.md).
      resolver.names.delete(site.key);
      await assertClosed();
    });

    test('a daemon that is dead and stays dead opens nothing', async () => {
      await start();
      await untilOpen(browser, await browser.open(site.url), site);
      const file = world.file('.config/dotkey/config.toml');
      const config = await readFile(file);
      const pid = await world.daemonPid();
      await writeFile(file, 'nonsense = 1\n');
      try {
        process.kill(pid, 'SIGKILL');
        site.requests.length = 0;
        await openAll(longest_ms);
        await assertClosed();
      } finally {
        await writeFile(file, config);
      }
      await untilOpen(browser, await browser.open(site.url), site);
    });

    test('a way to the daemon that is lost again and again opens nothing', async () => {
      await start();
      await pollUntil('the session is there', () => world.nativeHosts().length > 0);
      const killer = setInterval(() => {
        for (const pid of world.nativeHosts()) {
          try {
            process.kill(pid, 'SIGKILL');
          } catch {
            // It ended by itself meanwhile.
          }
        }
      }, 10);
      try {
        await openAll(longest_ms);
        await assertClosed();
      } finally {
        clearInterval(killer);
      }
    });

    if (name === 'chromium') {
      test('another extension that takes the proxy opens nothing, and it is told', async () => {
        await start({ extension: [stagedExtension('chrome'), await writeRival()] });
        const popup = await browser.openExtensionPage('popup/popup.html');
        await pollUntil('the rival has the proxy', () => popup.evaluate(
          "chrome.proxy.settings.get({}).then((s) => s.levelOfControl.includes('other'))"));
        const tab = await browser.open(site.url);
        await untilText(browser, tab, 'browser.proxy_taken');
        resolver.names.clear();
        site.requests.length = 0;
        await openAll();
        // A key without `.key` is kept from the DNS by the proxy alone (docs/THREAT_MODEL.md).
        resolver.names.delete(site.key);
        await assertClosed();
      });
    }

    test('a page of links asks the DNS for none of them while all is well', async () => {
      await start();
      await untilOpen(browser, await browser.open(site.url), site);
      await openAll();
      assert.deepEqual(askedFor(), []);
    });
  });
}
