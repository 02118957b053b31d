// SPDX-License-Identifier: Apache-2.0
// Starts Chromium and Firefox with the staged extension, a home of their own and a native host.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import puppeteer from 'puppeteer-core';

export const root = new URL('../../../', import.meta.url).pathname;
export const stagedExtension = (browser) => path.join(root, 'build', `extension-${browser}`);

const chromeId = 'enhmnlhimjjaaopebkibpcaknapiidek';
const firefoxId = 'dotkey@dotkey.org';
// Firefox gives each installation another; a preference fixes it.
const firefoxUuid = '6f3c2b8a-7d0e-4c55-9a1f-0d6b3e1c9f42';
const hostName = 'org.dotkey.host';

export async function pollUntil(what, condition, timeout_ms = 30_000) {
  const deadline = Date.now() + timeout_ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function writeHostManifest(folder, program, allowed) {
  await mkdir(folder, { recursive: true });
  const manifest =
    { name: hostName, description: 'dotkey', path: program, type: 'stdio', ...allowed };
  await writeFile(path.join(folder, `${hostName}.json`), JSON.stringify(manifest));
}

function trust(database, certificate) {
  execFileSync('certutil', ['-A', '-d', `sql:${database}`, '-n', 'test', '-t', 'C,,',
    '-i', certificate]);
}

async function makeDatabase(folder) {
  await mkdir(folder, { recursive: true });
  execFileSync('certutil', ['-N', '-d', `sql:${folder}`, '--empty-password']);
}

class Chromium {
  extensionUrl = (page) => `chrome-extension://${chromeId}/${page}`;

  async start({ home, program, caFile }) {
    const userDataDir = path.join(home, 'chromium');
    await writeHostManifest(path.join(userDataDir, 'NativeMessagingHosts'), program,
      { allowed_origins: [`chrome-extension://${chromeId}/`] });
    const database = path.join(home, '.local/share/pki/nssdb');
    await makeDatabase(database);
    if (caFile) trust(database, caFile);
    this.browser = await puppeteer.launch({
      executablePath: '/usr/bin/chromium', headless: true, pipe: true, userDataDir,
      enableExtensions: [stagedExtension('chrome')],
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync'],
      env: { ...process.env, HOME: home, XDG_DATA_HOME: path.join(home, '.local/share') },
    });
  }

  /** Runs a function of the extension's own kind of page. */
  async openExtensionPage(page) {
    const tab = await this.browser.newPage();
    await tab.goto(this.extensionUrl(page));
    return tab;
  }
}

class Firefox {
  extensionUrl = (page) => `moz-extension://${firefoxUuid}/${page}`;

  async start({ home, program, caFile, prefs }) {
    const profile = path.join(home, 'firefox');
    await writeHostManifest(path.join(home, '.mozilla/native-messaging-hosts'), program,
      { allowed_extensions: [firefoxId] });
    await makeDatabase(profile);
    if (caFile) trust(profile, caFile);
    this.browser = await puppeteer.launch({
      browser: 'firefox', executablePath: '/usr/bin/firefox-esr', headless: true,
      userDataDir: profile, acceptInsecureCerts: false,
      args: ['--remote-allow-system-access'],
      env: { ...process.env, HOME: home },
      extraPrefsFirefox: {
        'extensions.webextensions.uuids': JSON.stringify({ [firefoxId]: firefoxUuid }),
        'app.update.enabled': false,
        'browser.safebrowsing.malware.enabled': false,
        'datareporting.policy.dataSubmissionEnabled': false,
        'network.captive-portal-service.enabled': false,
        'network.connectivity-service.enabled': false,
        'services.settings.server': 'http://127.0.0.1:9/',
        ...prefs,
      },
    });
    await this.browser.installExtension(stagedExtension('firefox'));
  }

  async openExtensionPage(page) {
    const tab = await this.browser.newPage();
    // BiDi never says that an extension's page has come.
    tab.goto(this.extensionUrl(page)).catch(() => {});
    await pollUntil(`${page} is open`, async () => {
      const address = await tab.evaluate('location.href').catch(() => '');
      return address.startsWith(this.extensionUrl(page.split(/[?#]/)[0]));
    });
    return tab;
  }
}

const kinds = { chromium: Chromium, firefox: Firefox };
export const browserNames = Object.keys(kinds);

/** `program` is what the browser launches as native host; `prefs` are for Firefox alone. */
export async function startBrowser(name, { program, caFile, prefs = {} }) {
  const home = await mkdtemp(path.join(tmpdir(), `dotkey-${name}-`));
  const started = new kinds[name]();
  await started.start({ home, program, caFile, prefs });
  started.name = name;
  started.close = async () => {
    await started.browser.close();
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };
  /** Opens an address and gives the tab, whatever becomes of it. */
  started.open = async (url) => {
    const tab = await started.browser.newPage();
    tab.goto(url).catch(() => {});
    return tab;
  };
  started.addressOf = (tab) => tab.evaluate('location.href').catch(() => '');
  // An extension that was installed this moment guards nothing yet. Its popup is filled by the
  // background script once that has closed the gate.
  const popup = await started.openExtensionPage('popup/popup.html');
  await pollUntil('the extension runs', async () =>
    (await popup.evaluate('document.querySelector("main").ariaBusy').catch(() => '')) === null);
  await popup.close();
  return started;
}
