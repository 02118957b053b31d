// SPDX-License-Identifier: Apache-2.0
// A daemon that says yes to everything (tests/e2e/liar): the extension blocks what its key did not
// vouch for. In sandbox.sh.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { serveSocket } from './application.mjs';
import { browserNames, root, startInstalledBrowser } from './browsers.mjs';
import { startResolver } from './resolver.mjs';
import { untilBlocked, untilOpen } from './tabs.mjs';
import { startProgram, World } from './world.mjs';

const program = process.env.LYING_DAEMON ?? `${root}/build/release/tests/e2e/lying_daemon`;
const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
let resolver, liar;

before(async () => {
  resolver = await startResolver();
  await world.start();
  await world.install();
  const run = `${world.env.XDG_RUNTIME_DIR}/dotkey`;
  await mkdir(run, { mode: 0o700 });
  liar = await startProgram(program, world.env, world.file('.local/state/dotkey'),
    `${run}/daemon.sock`, world.ready.bootstrap);
});
after(async () => {
  await liar?.program.stop();
  await world.close();
  resolver.close();
});

const wrongPin = (site) => [`@ 300 A ${site.address}`,
  `_443._tcp 300 TLSA 3 1 1 ${'ab'.repeat(32)}`];

// [what it says yes to, the lie, what the key publishes, why the page is blocked]
const lies = [
  ['a certificate that the key does not pin', 'truth', wrongPin, 'pin.mismatch'],
  ['a packet with a forged signature', 'forged', undefined, 'record.signature_invalid'],
  ['the packet of another key', 'foreign', undefined, 'evidence.packet_missing'],
];

/** What became of a WebSocket that a page opens: 'open', or 'refused' before it was. */
const openSocket = (tab, url) => tab.evaluate((address) => new Promise((resolve) => {
  const socket = new WebSocket(address);
  socket.onopen = () => resolve('open');
  socket.onclose = () => resolve('refused');
}), url);

async function addSocketSite(name, options) {
  const site = await world.addSite(name, options);
  serveSocket(site.server);
  return site;
}

for (const name of chosen) {
  describe(name, () => {
    let browser;
    before(async () => { browser = await startInstalledBrowser(name, world); });
    after(async () => browser?.close());

    test('what it does not lie about opens', async () => {
      await writeFile(world.file('.local/state/dotkey/lie'), 'truth');
      const site = await world.addSite(`honest-${name}`);
      const tab = await browser.open(site.url);
      await untilOpen(browser, tab, site);
    });

    for (const [what, lie, records, slug] of lies) {
      test(`a daemon that says yes to ${what} is refused: ${slug}`, async () => {
        await writeFile(world.file('.local/state/dotkey/lie'), lie);
        const site = await world.addSite(`${lie}-${name}`, { records });
        const tab = await browser.open(site.url);
        await untilBlocked(browser, tab, site.url, slug);
        assert.ok(!site.requests.includes('GET /script-ran'));
      });
    }

    test('no WebSocket opens to a site that was refused', async () => {
      await writeFile(world.file('.local/state/dotkey/lie'), 'truth');
      const honest = await addSocketSite(`talker-${name}`);
      const refused = await addSocketSite(`mute-${name}`, { records: wrongPin });
      const other = await browser.open(refused.url);
      await untilBlocked(browser, other, refused.url, 'pin.mismatch');
      const tab = await browser.open(honest.url);
      await untilOpen(browser, tab, honest);
      assert.equal(await openSocket(tab, `wss://${honest.host}/socket`), 'open');
      for (const host of [refused.host, `${refused.host}.`, `${refused.host}:443`]) {
        assert.equal(await openSocket(tab, `wss://${host}/socket`), 'refused', host);
      }
    });

    // Chrome cannot hold a response: there the first one of a site is not stopped.
    if (name === 'firefox') {
      test('nor to one that nobody opened before', async () => {
        const refused = await addSocketSite('unseen', { records: wrongPin });
        const honest = await addSocketSite('seer');
        const tab = await browser.open(honest.url);
        await untilOpen(browser, tab, honest);
        assert.equal(await openSocket(tab, `wss://${refused.host}/socket`), 'refused');
        assert.equal(await openSocket(tab, `wss://${honest.host}/socket`), 'open');
      });
    }
  });
}
