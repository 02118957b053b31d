// SPDX-License-Identifier: Apache-2.0
// demo.mjs chromium|firefox FOLDER: what dotkey is for, once through, with nothing but the shipped
// parts: a DHT on this computer, a new key, an HTTPS site with a certificate of its own making, the
// extension in a real browser. Prints what it does and how long each step took; saves screenshots.
// Runs in sandbox.sh.
import { execFile, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { pollUntil, startInstalledBrowser, windowSize } from './browsers.mjs';
import { startResolver } from './resolver.mjs';
import { Site, World } from './world.mjs';

const run = promisify(execFile);
const [browserName, folder] = process.argv.slice(2);
const dhtNodes = 50;

const page = (host) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Alice</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>:root { color-scheme: light dark; font: 18px/1.6 system-ui, sans-serif }
main { max-width: 40rem; margin: 12vh auto; padding: 0 1.5rem }
code { overflow-wrap: anywhere }</style>
<main><h1>This is Alice’s page</h1><p>Its address is a public key:</p><p><code>${host}</code></p>
<p>No registrar gave out the name, and no authority signed the certificate.</p></main>`;

/** Runs one step and prints its line; what the step returns is `[text, value]` or a text. */
async function step(action) {
  const started = performance.now();
  const result = await action();
  const [text, value] = Array.isArray(result) ? result : [result];
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  console.log(`${seconds.padStart(7)} s  ${text}`);
  return value;
}

async function startDisplay() {
  const screen = `${windowSize.width}x${windowSize.height}x24`;
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', screen, '-nolisten', 'tcp'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const number = await new Promise((resolve, reject) => {
    server.stdio[3].once('data', (data) => resolve(String(data).trim()));
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)));
  });
  return { name: `:${number}`, close: () => server.kill() };
}

async function addSite(world, name, number) {
  const site = new Site(world, name, `127.0.1.${number}`);
  world.sites.push(site);
  site.key = (await world.run('key', 'new', name)).key;
  // Whoever publishes an address of this computer must be trusted with it.
  await world.run('allow-local', site.key);
  site.certificate = await world.certificate(name, site.host);
  await site.listen(site.certificate, {
    answer(request, response) {
      response.setHeader('content-type', 'text/html');
      response.end(page(site.host));
      return true;
    },
  });
  return site;
}

const publish = (world, site, pin) => world.run('publish', site.name,
  '--record', `@ 300 A ${site.address}`, '--record', `_443._tcp 300 TLSA ${pin}`);

async function show(world, display) {
  const shoot = async (tab, name) => {
    const file = path.join(folder, `${browserName}-${name}.png`);
    await tab.bringToFront();
    await new Promise((resolve) => setTimeout(resolve, 500));  // the frame follows the page
    await run('import', ['-display', display.name, '-window', 'root', file]);
    return file;
  };

  await step(async () => {
    await world.start({ nodes: dhtNodes });
    world.env.DISPLAY = display.name;
    return `a DHT of ${dhtNodes} nodes and a relay run on this computer`;
  });
  const alice = await step(async () => {
    const site = await addSite(world, 'alice', 1);
    return [`a new key ${site.key.slice(0, 12)}…, and an HTTPS site with a self-signed certificate`,
      site];
  });
  await step(async () => {
    const { dht_nodes } = await publish(world, alice, alice.certificate.pin);
    return `its address and its pin are published, stored by ${dht_nodes} DHT nodes`;
  });
  await step(async () => {
    await world.install();
    return 'dotkey install: native host and local certificate authority';
  });
  const browser = await step(async () =>
    [`${browserName} has started with the extension`,
      await startInstalledBrowser(browserName, world, { headless: false })]);
  try {
    const tab = await step(async () => {
      const opened = await browser.open(alice.url);
      await pollUntil('the page is open', async () =>
        (await opened.evaluate('document.title').catch(() => '')) === 'Alice');
      return [`${alice.url} is open`, opened];
    });
    await step(async () => `screenshot ${await shoot(tab, 'page')}`);
    const popup = await browser.openExtensionPage(
      `popup/popup.html?url=${encodeURIComponent(alice.url)}`);
    await step(async () => {
      await pollUntil('the popup says that the site is verified', async () =>
        (await popup.evaluate('document.body.innerText').catch(() => '')).includes('Verified'));
      return `the popup says Verified: screenshot ${await shoot(popup, 'popup')}`;
    });

    const mallory = await addSite(world, 'mallory', 2);
    await publish(world, mallory, alice.certificate.pin);
    await step(async () => {
      const opened = await browser.open(mallory.url);
      await pollUntil('the page is blocked', async () =>
        (await opened.evaluate('document.body.textContent').catch(() => ''))
          .includes('pin.mismatch'));
      return `a site with another certificate than its key pins is blocked: screenshot ${
        await shoot(opened, 'blocked')}`;
    });
    if (mallory.requests.length > 0) throw new Error('the blocked site was asked for a page');
  } finally {
    await browser.close();
  }
}

await mkdir(folder, { recursive: true });
const world = new World();
const display = await startDisplay();
const resolver = await startResolver(world.addresses);
try {
  await show(world, display);
} catch (error) {
  console.error(`the demo failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  await world.close();
  resolver.close();
  display.close();
}
