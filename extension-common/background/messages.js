// SPDX-License-Identifier: Apache-2.0
// What the extension's own pages may ask. The sender is proved by what the browser stamps on a
// message, and no page of a site is ever answered.
import { webextension } from '../lib/webextension.js';

export const pages = [
  'blocked', 'editor', 'keys', 'network', 'options', 'popup', 'records', 'welcome'];

function senderOf(sender) {
  if (sender.id !== webextension.runtime.id || typeof sender.url !== 'string') return null;
  const address = sender.url.split(/[?#]/)[0];
  return pages.find(
    (page) => address === webextension.runtime.getURL(`${page}/${page}.html`)) ?? null;
}

/** table: op → {from: pages, accepts(body), run(body)}; run() is called when `ready` is there. */
export function registerMessages({ ready, table }) {
  webextension.runtime.onMessage.addListener((message, sender, respond) => {
    const entry = Object.hasOwn(table, message?.op) ? table[message.op] : null;
    if (!entry?.from.includes(senderOf(sender)) || !entry.accepts(message.body)) return false;
    ready.then(() => entry.run(message.body)).then(respond, (error) => {
      console.warn(`dotkey: ${message.op} failed:`, error);
      respond({ error: 'extension.failed', advice: '', detail: String(error?.message ?? error) });
    });
    return true;
  });
}
