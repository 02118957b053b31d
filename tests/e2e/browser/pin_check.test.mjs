// SPDX-License-Identifier: Apache-2.0
// Without the program: a server of the DNS is pinned in the editor, and its certificate compared
// with the pin, where the browser shows certificates; elsewhere the page says that nothing was
// compared. In sandbox.sh.
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import {
  browserNames, pollUntil, prepareProfiles, stagedExtension, startInstalledBrowser,
} from './browsers.mjs';
import {
  addRecord, answer, click, fill, makeKey, openEditor, openPage, passphrase, publish, untilSays,
  untilTrue, useRelay,
} from './person.mjs';
import { startResolver } from './resolver.mjs';
import { untilOpen } from './tabs.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
const host = 'www.site.example';
let resolver, server, pinned, other;

before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start();
  await prepareProfiles(world.home);
  pinned = await world.trustedCertificate('pinned', host);
  other = await world.trustedCertificate('other', host);
  server = world.siteAt(host, '127.0.5.1');
  await server.listen(pinned);
  world.addresses.set(host, server.address);
});
after(async () => {
  await world.close();
  resolver.close();
});

// Whether an extension may see a host, browsers ask in a window of their own. Firefox can be told
// to take it for granted; Chromium asks for nothing that an extension has already.
const prefs = { 'extensions.webextOptionalPermissionPrompts': false };

async function grantedExtension() {
  const folder = world.file('granted');
  await cp(stagedExtension('chrome'), folder, { recursive: true });
  const file = path.join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  manifest.host_permissions.push(`https://${host}/*`);
  await writeFile(file, JSON.stringify(manifest));
  return folder;
}

const start = {
  firefox: () => startInstalledBrowser('firefox', world, { prefs }),
  chromium: async (args) => startInstalledBrowser('chromium', world,
    { extension: await grantedExtension(), args }),
};
const cases = [
  { name: 'chromium', title: 'chromium', shows: false, args: [] },
  { name: 'chromium', title: 'chromium with its flag', shows: true,
    args: ['--enable-features=WebRequestSecurityInfo'] },
  { name: 'firefox', title: 'firefox', shows: true },
];

/** Browsers ask for permissions at a person's click alone. */
async function clickTruly(page, selector) {
  await untilTrue(page, `document.querySelector('${selector}')?.checkVisibility() === true`);
  await page.bringToFront();
  await page.click(selector);
}

const recordsOf = (browser, key) => openPage(browser,
  `records/records.html#${encodeURIComponent(`https://${key}.key/`)}`);

async function pinByServer(editor) {
  await click(editor, '#pin');
  await fill(editor, { '#pin-server': `${host}:443` });
  await clickTruly(editor, '#pin-fetch');
}

for (const { name, title, shows, args } of cases.filter((one) => chosen.includes(one.name))) {
  describe(`in ${title}, without the program`, () => {
    const label = title.replaceAll(' ', '-');
    let browser, key;
    before(async () => {
      server.useCertificate(pinned);
      browser = await start[name](args);
      await useRelay(browser, world.ready.relay);
    });
    after(async () => browser?.close());

    const told = shows ? 'as the browser shows it' : 'as its owner has it';
    test(`a server's certificate is pinned, ${told}`, async () => {
      key = await makeKey(browser, `${label}-home`, passphrase);
      const editor = await openEditor(browser, key);
      await addRecord(editor, '@', 'CNAME', { target: `${host}.` });
      await pinByServer(editor);
      if (!shows) {
        await untilSays(editor, 'This browser does not show certificates to extensions');
        const leaf = await readFile(world.file('pinned.crt'), 'utf8');
        await fill(editor, { '#pin-paste': leaf });
      }
      await untilTrue(editor, 'document.querySelector("[data-part=found]").hidden === false');
      assert.equal(await answer(editor, {}), '');
      assert.equal(await publish(editor), 'Published');
      const { records } = await world.run('resolve', key, '--policy', 'newest');
      assert.deepEqual(records.filter(({ type }) => type === 'TLSA').map(({ data }) => data),
        [pinned.pin]);
      await editor.close();
    });

    test(shows ? 'the pin is compared with the certificate' : 'it says that nothing was compared',
      async () => {
        const page = await recordsOf(browser, key);
        await untilSays(page, 'It was not compared yet');
        await clickTruly(page, '[data-part=check]');
        await untilSays(page, shows ? 'Certificate verified'
          : 'This browser does not show certificates to extensions, so nothing could be compared');
        await page.close();
      });

    if (!shows) return;

    test('a page of the server opens, until it shows another certificate', async () => {
      const tab = await browser.open(`https://${host}/`);
      await untilOpen(browser, tab, server);
      server.useCertificate(other);
      const again = await browser.open(`https://${host}/?again`);
      await pollUntil('the page of the records stands there', async () =>
        (await browser.addressOf(again)) ===
          browser.extensionUrl('records/records.html?denied=pin.mismatch'));
    });

    test('another certificate than the pinned one is said, and no way leads there', async () => {
      server.useCertificate(other);
      const page = await recordsOf(browser, key);
      await clickTruly(page, '[data-part=check]');
      await untilSays(page, 'Wrong certificate');
      await untilTrue(page, 'document.querySelector("#ways [data-part=open]").hidden');
      await page.close();
    });
  });
}
