// SPDX-License-Identifier: Apache-2.0
// A program that does not answer is not one that has nothing, and a damaged file is not no file.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { browserNames, startInstalledBrowser } from './browsers.mjs';
import { makeKey, openPage, untilSays } from './person.mjs';
import { World } from './world.mjs';

const world = new World();

before(async () => {
  await world.start();
  await world.install();
});
after(async () => { await world.close(); });

for (const name of browserNames) {
  describe(`in ${name}`, () => {
    let browser;
    before(async () => { browser = await startInstalledBrowser(name, world); });
    after(async () => { await browser?.close(); });

    test('a damaged key file is named beside the keys that are well', async () => {
      await makeKey(browser, `${name}-well`);
      await writeFile(world.file(`.local/share/dotkey/keys/${name}-broken`), 'no key\n',
        { mode: 0o600 });
      const page = await openPage(browser, 'keys/keys.html');
      await untilSays(page, `${name}-well`);
      const note = await page.evaluate((file) => [...document.querySelectorAll('#list .note')]
        .map(({ innerText }) => innerText).find((text) => text.startsWith(file)),
      `${name}-broken`);
      assert.match(note, /cannot be read \(keystore\.malformed\)/);
      await page.close();
    });

    test('pages say that the program does not answer, and not that it has nothing', async () => {
      const pid = await world.daemonPid();
      process.kill(pid, 'SIGSTOP');
      try {
        for (const path of ['keys/keys.html', 'network/network.html']) {
          const page = await openPage(browser, path);
          await untilSays(page, 'The dotkey program has stopped');
          assert.doesNotMatch(await page.evaluate('document.body.innerText'),
            /No key yet|No relay is set|Nothing is published from here|\b0\b/, path);
          await page.close();
        }
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      const page = await openPage(browser, 'keys/keys.html');
      await untilSays(page, `${name}-well`);
      await page.close();
    });
  });
}
