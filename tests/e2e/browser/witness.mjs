// SPDX-License-Identifier: Apache-2.0
// What browsers and programs saw where a test failed. Whoever reads it has nothing else: no screen,
// and no machine to try it on again.
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach } from 'node:test';

const picturesFolder = new URL('../../../build/e2e/failures/', import.meta.url).pathname;
const linesMax = 40;
const textMax = 1500;
const answerMs = 10_000;
const accountMs = 120_000;

const witnesses = new Map();

/** tell(): a promise of lines of text, asked when a test failed. → a function that ends it. */
export function addWitness(name, tell) {
  const entry = Symbol(name);
  witnesses.set(entry, tell);
  return () => witnesses.delete(entry);
}

/** The last lines of what is fed to it in pieces. */
export class LastLines {
  #lines = [];
  #rest = '';

  listenTo(stream) {
    stream?.on('data', (data) => this.#add(String(data)));
  }

  #add(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop().slice(-textMax);
    this.#lines = [...this.#lines, ...lines].slice(-linesMax);
  }

  get all() { return [...this.#lines, this.#rest].filter((line) => line !== ''); }
}

export async function lastLinesOf(file) {
  const text = await readFile(file, 'utf8').catch(() => '(no such file)');
  return text.trimEnd().split('\n').slice(-linesMax);
}

/** Whatever hangs is not waited for. */
const inTime = (promise, patienceMs = answerMs) => Promise.race([
  promise.catch(({ message }) => `(${message.split('\n')[0].slice(0, 200)})`),
  new Promise((resolve) => { setTimeout(resolve, patienceMs, '(no answer)').unref(); })]);

async function describePage(page, picture) {
  const seen = await inTime(page.evaluate((most) => ({
    url: location.href, title: document.title, ready: document.readyState,
    hasFocus: document.hasFocus(), focus: document.activeElement?.outerHTML.slice(0, 100),
    text: document.body?.innerText.slice(0, most) }), textMax));
  const shot = await inTime(page.screenshot({ path: picture }).then(() => picture));
  return `  page ${JSON.stringify(seen)}\n  picture ${shot}`;
}

let pictures = 0;

/** Every page that is open in a browser; its pictures stay in build/e2e/failures. */
export async function describePages(browser, name) {
  await mkdir(picturesFolder, { recursive: true });
  const pages = await inTime(browser.pages());
  if (!Array.isArray(pages)) return [`  pages ${pages}`];
  const described = [];
  for (const page of pages.filter((open) => !open.isClosed()).slice(-8)) {
    const picture = path.join(picturesFolder, `${process.pid}-${name}-${++pictures}.png`);
    described.push(await describePage(page, picture));
  }
  return described;
}

/** Prints what each witness says. */
export async function hearWitnesses(occasion) {
  const heard = [`== ${occasion}`];
  for (const [{ description }, tell] of witnesses) {
    const told = await inTime(tell(), accountMs);
    heard.push(`-- ${description}`, ...[told].flat());
  }
  console.error(heard.join('\n'));
}

// demo.mjs runs without a test runner.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  afterEach(async ({ fullName, passed }) => {
    if (!passed) await hearWitnesses(`what was to be seen when "${fullName}" failed`);
  });
}
