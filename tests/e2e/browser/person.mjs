// SPDX-License-Identifier: Apache-2.0
// What a person does in the extension's pages: by the names that they see, waiting as they would.
import { pollUntil } from './browsers.mjs';

export const passphrase = 'correct horse battery';

const textOf = (page) => page.evaluate('document.body.innerText').catch(() => '');

async function until(what, page, condition) {
  try {
    return await pollUntil(what, condition);
  } catch (error) {
    throw new Error(`${error.message}: ${await textOf(page)}`);
  }
}

/** The value of an expression of the page, once it is true. */
export const untilTrue = (page, expression) => until(expression, page,
  () => page.evaluate(expression).catch(() => false));

export const untilSays = (page, text) => until(`the page says ${text}`, page,
  async () => (await textOf(page)).includes(text));

/** An extension's page that has its content. */
export async function openPage(browser, path) {
  const page = await browser.openExtensionPage(path);
  await untilTrue(page, 'document.querySelector("main") !== null && ' +
    'document.querySelector("main").ariaBusy !== "true" && document.title !== ""');
  return page;
}

export async function click(page, selector) {
  await untilTrue(page, `document.querySelector(${JSON.stringify(selector)}) !== null && ` +
    `!document.querySelector(${JSON.stringify(selector)}).disabled`);
  await page.evaluate((chosen) => document.querySelector(chosen).click(), selector);
}

/** Types into fields, by selector. */
export async function fill(page, values) {
  await page.evaluate((entries) => {
    for (const [selector, value] of entries) {
      const field = document.querySelector(selector);
      if (field === null) throw new Error(`no field ${selector}`);
      field.focus();
      field.value = value;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      field.dispatchEvent(new Event('change', { bubbles: true }));
    }
  }, Object.entries(values));
}

/** Answers the open dialog, by names of fields. Gives what it complains of, '' when it closes. */
export async function answer(page, values) {
  await untilTrue(page, 'document.querySelector("dialog[open] form") !== null');
  await fill(page, Object.fromEntries(Object.entries(values)
    .map(([name, value]) => [`dialog[open] [name="${name}"]`, value])));
  await page.evaluate('document.querySelector("dialog[open] form").requestSubmit()');
  const outcome = await until('the dialog is done', page, () => page.evaluate(() => {
    const dialog = document.querySelector('dialog[open]');
    if (dialog === null) return 'closed';
    const form = dialog.querySelector('form');
    return form.ariaBusy === 'true' ? '' : form.querySelector('.fault').textContent;
  }).catch(() => ''));
  return outcome === 'closed' ? '' : outcome;
}

/** → the new key's 52 characters */
export async function makeKey(browser, name, secret = '') {
  const page = await openPage(browser, 'keys/keys.html');
  await click(page, '#make');
  const fault = await answer(page, { name, passphrase: secret, again: secret });
  if (fault !== '') throw new Error(fault);
  await untilSays(page, name);
  const key = await untilTrue(page, `[...document.querySelectorAll('.key-card')]
    .find((card) => card.querySelector('h2').textContent === ${JSON.stringify(name)})
    ?.querySelector('[data-part=key]').textContent`);
  await page.close();
  return key;
}

/** Presses a button of a key's card: 'backup', 'lock', 'qr', 'rename', 'remove'. */
export async function pressOnKey(page, name, act) {
  await untilTrue(page, `[...document.querySelectorAll('.key-card h2')]
    .some((heading) => heading.textContent === ${JSON.stringify(name)})`);
  await page.evaluate((wanted, button) => [...document.querySelectorAll('.key-card')]
    .find((card) => card.querySelector('h2').textContent === wanted)
    .querySelector(`[data-act="${button}"]`).click(), name, act);
}

/** The editor of a key, once it knows what is published. */
export async function openEditor(browser, key) {
  const page = await openPage(browser, `editor/editor.html?key=${key}`);
  await untilTrue(page, '!document.getElementById("editor").hidden && ' +
    'document.getElementById("editor").ariaBusy !== "true"');
  return page;
}

const typeNumber = (page, type) => page.evaluate((wanted) => {
  const choice = document.querySelector('.row:last-child select');
  choice.value = wanted;
  choice.dispatchEvent(new Event('change', { bubbles: true }));
}, type);

/** fields: by name, of the record's type. */
export async function addRecord(page, name, type, fields) {
  await click(page, '#add');
  await typeNumber(page, type);
  await fill(page, Object.fromEntries(Object.entries({ name, ...fields })
    .map(([field, value]) => [`.row:last-child [data-field="${field}"]`, value])));
}

/** Pins what a server shows, by way of the program. */
export async function pinServer(page, server, port = 443) {
  await click(page, '#pin');
  await fill(page, { '#pin-server': server, '#pin-port': String(port) });
  await click(page, '#pin-fetch');
  await untilTrue(page, 'document.querySelector("[data-part=found]").hidden === false');
  return answer(page, {});
}

/** Publishes; gives the heading that says how it went. */
export async function publish(page, secret) {
  const before = await page.evaluate('document.getElementById("publication").dataset.ended');
  await click(page, '#publish');
  if (secret !== undefined) {
    const fault = await answer(page, { passphrase: secret });
    if (fault !== '') return fault;
  }
  return until('the publication ended', page, () => page.evaluate((old) => {
    const section = document.getElementById('publication');
    if (!document.getElementById('conflict').hidden) return 'conflict';
    const { ended = '' } = section.dataset;
    if (section.hidden || ended === '' || ended === old) return '';
    return document.getElementById('publication-heading').textContent;
  }, before ?? ''));
}

/** Settles a conflict: 'merge', 'keep-mine' or 'take-theirs'. */
export async function settle(page, way) {
  await click(page, `#${way}`);
  await untilTrue(page, 'document.getElementById("conflict").hidden');
}

/** Uses one relay and no other. */
export async function useRelay(browser, url) {
  const page = await openPage(browser, 'options/options.html');
  await fill(page, { '#relay': url });
  await page.evaluate('document.getElementById("relay-form").requestSubmit()');
  await untilSays(page, url);
  const others = `[...document.querySelectorAll('#relays li')]
    .filter((entry) => entry.querySelector('span').textContent !== ${JSON.stringify(url)})`;
  while (await page.evaluate(`${others}.length`) > 0) {
    const left = await page.evaluate(`${others}.length`);
    await page.evaluate(`${others}[0].querySelector('button').click()`);
    await untilTrue(page, `${others}.length < ${left}`);
  }
  await page.close();
}

/** Presses a button of the options that ends in looking at the chain; gives what is said of it. */
export async function examineChain(page, button = '#examine') {
  await page.evaluate('document.getElementById("chain-verdict").textContent = ""');
  await click(page, button);
  return untilTrue(page, 'document.getElementById("chain").ariaBusy !== "true" && ' +
    'document.getElementById("chain-verdict").textContent');
}

/** As somebody who tries again: a machine that is busy may answer late. */
export async function untilChainHolds(page, button) {
  let says = await examineChain(page, button);
  for (let patience = 20; patience > 0 && says !== 'Every link works.'; --patience) {
    says = await examineChain(page);
  }
  if (says === 'Every link works.') return;
  throw new Error(await page.evaluate('document.getElementById("chain").innerText'));
}

/** Presses a button that saves a file; gives the file's text. */
export async function savedText(page, press) {
  await page.evaluate(() => {
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      blob.text().then((text) => { document.body.dataset.saved = text; });
      return make.call(URL, blob);
    };
  });
  await press();
  return untilTrue(page, 'document.body.dataset.saved');
}

/** The recovery phrase that a dialog shows. */
const wordsShown = (page) => untilTrue(page,
  '[...document.querySelectorAll("dialog .words li")].map((word) => word.textContent).join(" ")');

const cardOf = (name) => `[...document.querySelectorAll('.key-card')].find((card) =>
  card.querySelector('h2').textContent === ${JSON.stringify(name)})`;

/** The card of a key no longer says that there is no backup. */
export const untilBackedUp = (page, name) =>
  untilTrue(page, `!${cardOf(name)}.innerText.includes('no backup')`);

/** → the recovery file ('file') or the words ('words') of a key in the browser's hands */
export async function backUp(browser, name, form) {
  const page = await openPage(browser, 'keys/keys.html');
  await pressOnKey(page, name, 'backup');
  await click(page, `dialog [value="${form}"]`);
  let text = null;
  if (form === 'file') text = await savedText(page, () => answer(page, {}));
  else {
    await page.evaluate((value) => {
      document.querySelector('dialog #passphrase').value = value;
      document.querySelector('dialog form').requestSubmit();
    }, passphrase);
    text = await wordsShown(page);
    await answer(page, {});
  }
  await untilBackedUp(page, name);
  await page.close();
  return text;
}

export async function removeKey(browser, name) {
  const page = await openPage(browser, 'keys/keys.html');
  await pressOnKey(page, name, 'remove');
  const fault = await answer(page, { typed: name });
  if (fault !== '') throw new Error(fault);
  await untilTrue(page, `${cardOf(name)} === undefined`);
  await page.close();
}

/** → what the page complains of, '' for nothing */
export async function importKey(browser, name, secret, word) {
  const page = await openPage(browser, 'keys/keys.html');
  await click(page, '#import');
  const fault = await answer(page, { name, secret, passphrase: word });
  if (fault === '') await untilSays(page, name);
  await page.close();
  return fault;
}
