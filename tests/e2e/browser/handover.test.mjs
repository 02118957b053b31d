// SPDX-License-Identifier: Apache-2.0
// What was published without the program is kept alive by it once it is installed.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserNames, pollUntil, prepareProfiles, startInstalledBrowser } from './browsers.mjs';
import { addRecord, makeKey, openEditor, passphrase, publish, useRelay } from './person.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;

// Firefox takes an extension that was loaded for a test for gone when it ends, with all it stored.
const prefs = { 'extensions.webextensions.keepStorageOnUninstall': true };

for (const name of chosen) {
  describe(name, () => {
    const world = new World();
    let browser;
    before(async () => {
      await world.start();
      await prepareProfiles(world.home);
    });
    after(async () => {
      await browser?.close();
      await world.close();
    });

    test('the program takes over what the browser published by way of a relay', async () => {
      browser = await startInstalledBrowser(name, world, { prefs });
      await useRelay(browser, world.ready.relay);
      const key = await makeKey(browser, 'home', passphrase);
      const editor = await openEditor(browser, key);
      await addRecord(editor, '@', 'A', { address: '192.0.2.1' });
      assert.equal(await publish(editor), 'Published');
      assert.equal(await world.daemonPid(), null);
      await browser.close();

      await world.run('install', '--browser', name);
      browser = await startInstalledBrowser(name, world, { prefs });
      await pollUntil('the program keeps the key alive', async () => {
        const { keys = [] } = await world.run('status').catch(() => ({}));
        return keys.some((kept) => kept.key === key);
      });
    });
  });
}
