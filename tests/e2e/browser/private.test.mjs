// SPDX-License-Identifier: Apache-2.0
// Private windows, where no browser runs an extension that the person did not allow there, and a
// resolver that leads keys to the servers of an attacker. In sandbox.sh.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserNames, pollUntil, startInstalledBrowser } from './browsers.mjs';
import { startResolver } from './resolver.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
const controlHost = 'control.example';
let resolver;

before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start();
  await world.install();
  await addControl();
});
after(async () => {
  await world.close();
  resolver.close();
});

/** A page that has nothing to do with us, with a certificate that both browsers trust. */
async function addControl() {
  const control = world.siteAt(controlHost, '127.0.3.1');
  await control.listen(await world.trustedCertificate(controlHost, controlHost));
  world.addresses.set(controlHost, control.address);
}

/** The tab of a private window, at this address. */
const openPrivate = {
  async chromium({ browser }, url) {
    const tab = await (await browser.createBrowserContext()).newPage();
    tab.goto(url).catch(() => {});
    return tab;
  },
  async firefox({ browser }, url) {
    const { connection } = browser;
    const { result: tree } =
      await connection.send('browsingContext.getTree', { 'moz:scope': 'chrome' });
    const known = new Set(await browser.pages());
    const { result } = await connection.send('script.evaluate', {
      target: { context: tree.contexts[0].context }, awaitPromise: true,
      expression: `openTrustedLinkIn(${JSON.stringify(url)}, 'window', { private: true })`,
    });
    assert.equal(result.type, 'success', JSON.stringify(result));
    return pollUntil('the private window is there', async () =>
      (await browser.pages()).find((page) => !known.has(page)));
  },
};

// A page stands there: one of a site, or the browser's own that says why there is none.
const untilSettled = (tab) => pollUntil('the load has ended', () => tab.evaluate(
  "location.href !== 'about:blank' && document.title").catch(() => ''));

for (const name of chosen) {
  describe(name, () => {
    let browser;
    before(async () => {
      browser = await startInstalledBrowser(name, world);
    });
    after(async () => browser?.close());

    test('a private window shows a page of the DNS', async () => {
      const tab = await openPrivate[name](browser, `https://${controlHost}/`);
      assert.equal(await untilSettled(tab), `Site ${controlHost}`);
    });

    // Nothing of the extension is there. What keeps the page away is its certificate, of which no
    // authority says anything.
    test('a private window asks the DNS for a key, and shows no page over TLS', async () => {
      const site = await world.addSite(`site-${name}`);
      world.addresses.set(site.host, site.address);
      const title = await untilSettled(await openPrivate[name](browser, site.url));
      assert.doesNotMatch(title, /^Site /);
      assert.deepEqual(site.requests, []);
      assert.ok(resolver.names.has(site.host));
    });
  });
}
