// SPDX-License-Identifier: Apache-2.0
// A program whose messages are not what docs/protocol/native-messaging.md says: nothing opens by
// them, nothing stops working, and the blocked page says why. In sandbox.sh.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';

import { browserNames, pollUntil, startBrowser } from './browsers.mjs';
import { startResolver } from './resolver.mjs';
import { Stage } from './scripted.mjs';
import { untilBlocked, untilText } from './tabs.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const resolver = await startResolver();
after(() => resolver.close());

// What stands in the place of a part of honest evidence.
const malformedEvidence = {
  'packets that are no list': { packets: 'packets' },
  'a packet that is no base64': { packets: ['*'] },
  'no packets': { packets: null },
  'a chain of numbers': { chain: [1, 2] },
  'a port that is none': { port: 70000 },
  'no route': { route: null },
};
const malformedHellos = {
  'no port': { proxy_port: null },
  'a port that is text': { proxy_port: '8080' },
  'a port that is none': { proxy_port: 70000 },
};
const event = (op, body) => ({ id: 0, op, body });
const noise = [
  event('evidence', null), event('evidence', []), event('evidence', {}), event('nonsense', {}),
  event('refused', null), event('refused', { host: 7 }), event('ca', { ca_sha256: 'x' }),
  event('http_keys', { http_keys: '*' }), event('http_keys', { http_keys: ['*'] }),
  event('probe', { request_id: 1, url: 'https://probed.example/' }), event('progress', null),
  event({}, {}), { v: 2, id: 0, op: 'http_keys', body: {} }, { id: 'x', op: 'hello', body: {} },
  { id: 4711, op: 'error', body: {} }, { id: -1, op: 'error', body: null },
  { body: 'x'.repeat(1e5) },
];

for (const name of chosen) {
  describe(name, () => {
    let browser, stage;
    const urls = {};
    before(async () => {
      stage = await new Stage().prepare();
      urls.good = await stage.addSite(1);
      let number = 2;
      for (const [what, body] of Object.entries(malformedEvidence)) {
        // Firefox keeps a page away that comes in spite of the refusal.
        urls[what] = await stage.addSite(number++,
          () => ({ body, ignores_verdict: name === 'firefox' }));
      }
    });
    afterEach(async () => browser?.close());
    after(async () => rm(stage.folder, { recursive: true }));

    const start = async (changes) => {
      const program = await stage.write(changes);
      browser = await startBrowser(name, { program, caFile: stage.file('ca.crt') });
    };
    const hasLoaded = async (url) => (await stage.log()).some(
      ({ request, host }) => request === '/script-ran' && host === new URL(url).host);

    test('malformed evidence is refused as such', async () => {
      await start();
      for (const what of Object.keys(malformedEvidence)) {
        const url = urls[what];
        // Whose evidence it is cannot always be told.
        const isNamed = !('port' in malformedEvidence[what]);
        await untilBlocked(browser, await browser.open(url), url, isNamed ? 'evidence.' : '');
        const { verdict } = (await stage.log()).find(
          (entry) => entry.verdict !== undefined && entry.host === new URL(url).host);
        assert.deepEqual({ what, allow: verdict.allow, slug: verdict.slug },
          { what, allow: false, slug: 'evidence.malformed' });
        assert.equal(await hasLoaded(url), false, what);
      }
    });

    test('malformed events change nothing', async () => {
      await start({ noise });
      const tab = await browser.open(urls.good);
      await pollUntil('the page is there', async () =>
        (await tab.evaluate('document.title').catch(() => '')) === 'Site of a key');
      const plain = await browser.open(urls.good.replace('https:', 'http:'));
      await pollUntil('http became https', async () =>
        (await browser.addressOf(plain)) === urls.good);
      const log = await stage.log();
      assert.deepEqual(log.filter((entry) => entry.plain !== undefined), []);
      assert.ok(!resolver.names.has('probed.example'));
    });

    for (const [what, hello] of Object.entries(malformedHellos)) {
      test(`a greeting with ${what} opens nothing, and the page says so`, async () => {
        await start({ hello });
        const tab = await browser.open(urls.good);
        await untilText(browser, tab, 'host.');
        assert.equal((await stage.log()).some((entry) => entry.connect !== undefined), false);
      });
    }
  });
}
