// SPDX-License-Identifier: Apache-2.0
// A person without a mouse: keys that the browser takes for theirs, and nothing else. Whatever has
// the focus on the way must be seen to have it.
import assert from 'node:assert/strict';

import { pollUntil } from './browsers.mjs';
import { untilTrue } from './person.mjs';

const stepsMax = 150;

// What runs in the page has no imports.
const describeFocus = (wanted) => {
  const at = document.activeElement;
  const isNowhere = at === null || at === document.body || at === document.documentElement;
  const target = wanted === null ? null : document.querySelector(wanted);
  if (isNowhere) return { what: '', isTarget: false, isBehind: false, fault: '' };
  const what = `${at.localName}#${at.id}.${at.dataset.act ?? at.dataset.field ?? ''} ` +
    `${at.ariaLabel ?? at.textContent?.trim().slice(0, 30) ?? ''}`;
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  // A box larger than the window is seen by a part of it; a box of no size is not seen.
  const isWhole = box.height < innerHeight && box.width < innerWidth;
  const isCovered = isWhole && (top === null || !(at.contains(top) || top.contains(at)));
  let fault = '';
  if (!at.matches(':focus-visible')) fault = 'has the focus and is not shown to';
  else if (outlineStyle === 'none' || parseFloat(outlineWidth) < 1) fault = 'has no outline';
  else if (box.width < 2 || box.height < 2) fault = 'has no size';
  else if (isCovered) fault = `is covered by ${top?.outerHTML.slice(0, 80) ?? 'the edge'}`;
  const isBehind = target !== null &&
    (at.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_PRECEDING) !== 0;
  return { what, isTarget: at === target, isBehind, fault };
};

/** What has the focus. Browsers scroll it into view a moment later. */
async function focusOf(page, wanted = null) {
  let found = await page.evaluate(describeFocus, wanted);
  if (found.fault === '') return found;
  await pollUntil('the focus is seen', async () => {
    found = await page.evaluate(describeFocus, wanted);
    return found.fault === '';
  }).catch(() => {});
  assert.equal(found.fault, '', found.what);
  return found;
}

export async function press(page, key) {
  const [last, ...held] = key.split('+').reverse();
  for (const modifier of held) await page.keyboard.down(modifier);
  await page.keyboard.press(last);
  for (const modifier of held) await page.keyboard.up(modifier);
}

/** Goes to an element as the Tab key goes. */
export async function goTo(page, selector) {
  const chosen = JSON.stringify(selector);
  await untilTrue(page, `document.querySelector(${chosen})?.checkVisibility() === true && ` +
    `!document.querySelector(${chosen}).disabled`);
  const way = [];
  while (way.length < stepsMax) {
    const { what, isTarget, isBehind } = await focusOf(page, selector);
    if (isTarget) return;
    way.push(what);
    await press(page, isBehind ? 'Shift+Tab' : 'Tab');
  }
  throw new Error(`the focus does not come to ${selector}: ${way.slice(-12).join(' → ')}`);
}

export async function pressOn(page, selector, key = 'Enter') {
  await goTo(page, selector);
  await press(page, key);
}

/** Types into a field in place of what stands there. */
export async function write(page, selector, text) {
  await goTo(page, selector);
  await press(page, 'Control+a');
  await press(page, 'Delete');
  await page.keyboard.type(text);
}

/** A choice of a <select>, or of radio buttons, by arrow keys. */
export async function choose(page, selector, value) {
  await goTo(page, selector);
  const current = () => page.evaluate('document.activeElement.value');
  for (const key of ['ArrowDown', 'ArrowUp']) {
    for (let steps = 0; steps < 12; ++steps) {
      if (await current() === value) return;
      await press(page, key);
    }
  }
  throw new Error(`the arrow keys do not choose ${value}`);
}

export const hasFocus = (page, selector) =>
  untilTrue(page, `document.activeElement?.matches(${JSON.stringify(selector)}) === true`);

/** A dialog that opened by itself took the focus. */
export const untilDialog = (page) => untilTrue(page,
  'document.activeElement?.closest("dialog[open]") !== null');

/** It closed, and the focus is where it was asked for, or at `selector`. */
export async function untilClosed(page, selector) {
  await untilTrue(page, 'document.querySelector("dialog[open]") === null');
  await hasFocus(page, selector);
}

/** Fields by name, then Enter, as in any form. */
export async function answerByKeys(page, values) {
  await untilDialog(page);
  for (const [name, value] of Object.entries(values)) {
    await write(page, `dialog [name="${name}"]`, value);
  }
  await press(page, 'Enter');
}

// One of several radio buttons is enough, and what is in a closed <details> is not there.
const listTabbable = () => {
  const root = document.querySelector('dialog[open]') ?? document;
  const all = [...root.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex]')];
  const found = all.filter((element) => element.tabIndex >= 0 && !element.disabled &&
    element.checkVisibility() && !(element.type === 'radio' && !element.checked));
  found.forEach((element, at) => { element.dataset.walked = String(at); });
  return found.map((element) => element.outerHTML.slice(0, 100));
};

/**
 * The Tab key comes to everything that can be used, each in sight, and out again at the end: the
 * browser itself has the focus then.
 */
export async function walkThrough(page) {
  const tabbable = await page.evaluate(listTabbable);
  const reached = new Set();
  for (let steps = 0; steps < tabbable.length + 8; ++steps) {
    const [at, isHere] = await page.evaluate(
      '[document.activeElement?.dataset.walked ?? null, document.hasFocus()]');
    // Out at the end, to what the browser has of its own, or around.
    if (reached.size > 0 && (!isHere || reached.has(at))) break;
    await focusOf(page);
    if (at !== null) reached.add(at);
    await press(page, 'Tab');
  }
  assert.deepEqual(tabbable.filter((_, at) => !reached.has(String(at))), []);
}
