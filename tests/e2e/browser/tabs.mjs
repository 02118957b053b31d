// SPDX-License-Identifier: Apache-2.0
// What stands in a tab, waited for; a wait in vain says what stands there instead.
import { pollUntil } from './browsers.mjs';

const titleOf = (tab) => tab.evaluate('document.title').catch(() => '');
const textOf = (tab) => tab.evaluate('document.body.innerText').catch(() => '');

async function until(what, browser, tab, condition) {
  try {
    await pollUntil(what, condition);
  } catch (error) {
    throw new Error(`${error.message}: ${await browser.addressOf(tab)} ${await textOf(tab)}`);
  }
}

export const untilText = (browser, tab, text) => until(`the page says ${text}`, browser, tab,
  async () => (await tab.evaluate('document.body.textContent').catch(() => '')).includes(text));

/** The page of a Site. */
export const untilOpen = (browser, tab, { name }) => until(`${name} is open`, browser, tab,
  async () => (await titleOf(tab)) === `Site ${name}`);

/** The blocked page of this address, with its reason. */
export async function untilBlocked(browser, tab, url, slug) {
  const address = `${browser.extensionUrl('blocked/blocked.html')}#${encodeURIComponent(url)}`;
  await until(`${url} is blocked`, browser, tab,
    async () => (await browser.addressOf(tab)) === address);
  await untilText(browser, tab, slug);
}
