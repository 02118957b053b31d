// SPDX-License-Identifier: Apache-2.0
// Starts Chromium and Firefox with the staged extension, a home of their own and a native host.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import puppeteer from 'puppeteer-core';

import { addWitness, describePages, hearWitnesses, LastLines, lastLinesOf } from './witness.mjs';

export const root = new URL('../../../', import.meta.url).pathname;
export const stagedExtension = (browser) => path.join(root, 'build', `extension-${browser}`);

const chromeId = 'enhmnlhimjjaaopebkibpcaknapiidek';
const firefoxId = 'dotkey@dotkey.org';
// Firefox gives each installation another; a preference fixes it.
const firefoxUuid = '6f3c2b8a-7d0e-4c55-9a1f-0d6b3e1c9f42';
const hostName = 'org.dotkey.host';

export const windowSize = { width: 1280, height: 800 };
// In a window the page has what its frame leaves; without one puppeteer's own size.
const viewport = (headless) => (headless ? { width: 800, height: 600 } : null);

// A machine that stands still for a while is no fault of what is waited for: a look counts for as
// long as it took, and at most for this long.
const lookMaxMs = 1_000;

// A browser takes seconds to start, to end and to open a page, and longer where others do so too.
// What is wrong shows in what is waited for and does not come, not in how long it took.
const startTimeoutMs = 180_000;
const endTimeoutMs = 60_000;
const pageTimeoutMs = 60_000;

export async function pollUntil(what, condition, timeout_ms = 90_000) {
  for (let waitedMs = 0; ;) {
    const start = Date.now();
    const value = await condition();
    if (value) return value;
    if (waitedMs > timeout_ms) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    waitedMs += Math.min(Date.now() - start, lookMaxMs);
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

const chromiumProfile = (home) => path.join(home, '.config/chromium');
const firefoxProfile = (home) => path.join(home, '.mozilla/firefox/test.default');

/** Profiles of browsers that have run before, as `dotkey install` looks for them. */
export async function prepareProfiles(home) {
  await mkdir(chromiumProfile(home), { recursive: true });
  await makeDatabase(path.join(home, '.local/share/pki/nssdb'));
  await makeDatabase(firefoxProfile(home));
  await writeFile(path.join(home, '.mozilla/firefox/profiles.ini'),
    '[Profile0]\nName=default\nIsRelative=1\nPath=test.default\nDefault=1\n');
}

/** What `dotkey install` wrote for Firefox; puppeteer puts a user.js of its own in its place. */
async function installedPreferences(profile) {
  const text = await readFile(path.join(profile, 'user.js'), 'utf8').catch(() => '');
  const lines = [...text.matchAll(/^user_pref\("([^"]+)", (.+)\);$/gm)];
  return Object.fromEntries(lines.map(([, name, value]) => [name, JSON.parse(value)]));
}

// `program` and `caFile` are for tests without `dotkey install`.
class Chromium {
  extensionUrl = (page) => `chrome-extension://${chromeId}/${page}`;

  async prepare(home, program, caFile) {
    if (program === undefined) return;
    const folder = path.join(chromiumProfile(home), 'NativeMessagingHosts');
    await writeHostManifest(folder, program,
      { allowed_origins: [`chrome-extension://${chromeId}/`] });
    const database = path.join(home, '.local/share/pki/nssdb');
    if (caFile) trust(database, caFile);
  }

  async start({ home, env, args = [], headless = true, extension = stagedExtension('chrome') }) {
    this.browser = await puppeteer.launch({
      executablePath: '/usr/bin/chromium', headless, pipe: true, timeout: startTimeoutMs,
      defaultViewport: viewport(headless), ignoreDefaultArgs: ['--enable-automation'],
      userDataDir: chromiumProfile(home),
      enableExtensions: [extension].flat(),
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync',
        // Consoles go to chrome_debug.log, beside the profile.
        '--enable-logging', '--test-type', '--window-position=0,0',
        `--window-size=${windowSize.width},${windowSize.height}`, ...args],
      env,
    });
    this.log = path.join(chromiumProfile(home), 'chrome_debug.log');
  }

  close() {
    return this.browser.close();
  }

  async consoleLines() {
    return (await lastLinesOf(this.log)).filter((line) => line.includes('CONSOLE'));
  }

  async openExtensionPage(page) {
    const tab = await this.browser.newPage();
    await tab.goto(this.extensionUrl(page), { timeout: pageTimeoutMs });
    return tab;
  }

  /** Stops the service worker, as Chromium does with one that is idle; `tab` is any page. */
  async stopBackground(tab) {
    const session = await tab.createCDPSession();
    await session.send('ServiceWorker.enable');
    await session.send('ServiceWorker.stopAllWorkers');
    await session.detach();
    await pollUntil('the worker has ended', () =>
      !this.browser.targets().some((target) => target.type() === 'service_worker'));
  }
}

class Firefox {
  extensionUrl = (page) => `moz-extension://${firefoxUuid}/${page}`;

  async prepare(home, program, caFile) {
    if (program === undefined) return;
    await writeHostManifest(path.join(home, '.mozilla/native-messaging-hosts'), program,
      { allowed_extensions: [firefoxId] });
    if (caFile) trust(firefoxProfile(home), caFile);
  }

  async start({ home, env, prefs, headless = true, extension = stagedExtension('firefox') }) {
    const profile = firefoxProfile(home);
    this.browser = await puppeteer.launch({
      browser: 'firefox', executablePath: '/usr/bin/firefox-esr', headless,
      userDataDir: profile, acceptInsecureCerts: false, defaultViewport: viewport(headless),
      timeout: startTimeoutMs,
      args: ['--remote-allow-system-access', `--width=${windowSize.width}`,
        `--height=${windowSize.height}`],
      env,
      extraPrefsFirefox: {
        'extensions.webextensions.uuids': JSON.stringify({ [firefoxId]: firefoxUuid }),
        'app.update.enabled': false,
        'browser.safebrowsing.malware.enabled': false,
        'datareporting.policy.dataSubmissionEnabled': false,
        'network.captive-portal-service.enabled': false,
        'network.connectivity-service.enabled': false,
        'services.settings.server': 'http://127.0.0.1:9/',
        'devtools.console.stdout.content': true,
        'browser.dom.window.dump.enabled': true,
        ...(await installedPreferences(profile)),
        ...prefs,
      },
    });
    this.output = new LastLines();
    this.output.listenTo(this.browser.process().stdout);
    for (const folder of [extension].flat()) await this.browser.installExtension(folder);
  }

  // Puppeteer kills a Firefox that takes more than five seconds to end, and does not wait until it
  // is dead: what it had not written yet is lost, and its profile is still in use.
  async close() {
    const program = this.browser.process();
    if (program.exitCode === null && program.signalCode === null) {
      const ended = once(program, 'exit', { signal: AbortSignal.timeout(endTimeoutMs) });
      this.browser.connection.send('browser.close', {}).catch(() => {});
      await ended.catch(() => {});
    }
    await this.browser.close().catch(() => {});
  }

  async consoleLines() {
    return this.output.all;
  }

  async openExtensionPage(page) {
    const tab = await this.browser.newPage();
    const url = this.extensionUrl(page);
    const isOpen = () => tab.evaluate((start) => location.href.startsWith(start) &&
      document.readyState === 'complete' && document.body.childElementCount > 0,
    url.split(/[?#]/)[0]).catch(() => false);
    // BiDi never says that an extension's page has come, and now and then it stays empty.
    for (let patience = 6; patience > 0; --patience) {
      tab.goto(url).catch(() => {});
      if (await pollUntil(`${page} is open`, isOpen, 20_000).catch(() => false)) return tab;
    }
    throw new Error(`${page} did not open`);
  }

  /**
   * Stops the event page, as Firefox does with one that is idle; asked in Firefox's own scope. One
   * that talks with a program it leaves alone by itself; here it is stopped all the same.
   */
  async stopBackground() {
    const { connection } = this.browser;
    const { result: tree } =
      await connection.send('browsingContext.getTree', { 'moz:scope': 'chrome' });
    const { result } = await connection.send('script.evaluate', {
      target: { context: tree.contexts[0].context }, awaitPromise: true,
      expression: `(async () => {
        const { extension } = WebExtensionPolicy.getByID('${firefoxId}');
        await extension.terminateBackground(
          { ignoreDevToolsAttached: true, disableResetIdleForTest: true });
        return extension.backgroundState;
      })()`,
    });
    if (result.result?.value !== 'stopped') throw new Error(JSON.stringify(result));
  }
}

const kinds = { chromium: Chromium, firefox: Firefox };
export const browserNames = Object.keys(kinds);

async function launch(name, home, env, { isBroken = false, ...options }) {
  const started = new kinds[name]();
  await started.start({ home, env, ...options });
  started.name = name;
  const dismiss = addWitness(name, async () => [...await describePages(started.browser, name),
    '  console', ...(await started.consoleLines()).map((line) => `  ${line}`)]);
  const end = started.close.bind(started);
  started.close = async () => {
    dismiss();
    await end();
  };
  /** Opens an address and gives the tab, whatever becomes of it. */
  started.open = async (url) => {
    const tab = await started.browser.newPage();
    tab.goto(url).catch(() => {});
    return tab;
  };
  started.addressOf = (tab) => tab.evaluate('location.href').catch(() => '');
  if (options.extension?.length === 0) return started;
  await untilExtensionRuns(started, isBroken).catch(async (error) => {
    await hearWitnesses(`what was to be seen when ${name} did not start`);
    await started.close();
    throw error;
  });
  return started;
}

async function untilExtensionRuns(started, isBroken) {
  // An extension that was installed this moment guards nothing yet. Its popup is filled by the
  // background script once that has closed the gate.
  const popup = await pollUntil('the extension is loaded', () =>
    started.openExtensionPage('popup/popup.html').catch(() => null));
  if (!isBroken) {
    await pollUntil('the extension runs', async () =>
      (await popup.evaluate('document.querySelector("main").ariaBusy').catch(() => '')) === null);
  }
  await popup.close();
}

/**
 * A browser with a home of its own, which `close` removes. `program` is what it launches as native
 * host, none without it; `prefs` are for Firefox alone.
 */
export async function startBrowser(name, { program, caFile, prefs = {} } = {}) {
  const home = await mkdtemp(path.join(tmpdir(), `dotkey-${name}-`));
  await prepareProfiles(home);
  await new kinds[name]().prepare(home, program, caFile);
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: path.join(home, '.local/share') };
  const started = await launch(name, home, env, { prefs });
  const { close } = started;
  started.close = async () => {
    await close();
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };
  return started;
}

/**
 * A browser of somebody who ran `dotkey install`. `extension`: a folder instead of the staged one,
 * or several, or none; `isBroken`: it cannot be waited for, nothing of it may ever run; `args` are
 * for Chromium alone, `prefs` for Firefox.
 */
export function startInstalledBrowser(name, { home, env }, options = {}) {
  return launch(name, home, env, { prefs: {}, ...options });
}
