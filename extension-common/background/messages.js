// SPDX-License-Identifier: Apache-2.0
// What the extension's own pages may ask. One table; the sender is proved by what the browser
// stamps on a message, and no page of a site is ever answered.
import { siteOf } from '../lib/hosts.js';
import { webextension } from '../lib/webextension.js';

const isUrl = (value) => typeof value === 'string' && value.length <= 4096;

function senderOf(sender) {
  if (sender.id !== webextension.runtime.id || typeof sender.url !== 'string') return null;
  const address = sender.url.split(/[?#]/)[0];
  return ['popup', 'blocked'].find(
    (page) => address === webextension.runtime.getURL(`${page}/${page}.html`)) ?? null;
}

export function registerMessages({ ready, session, sites, reopen, core }) {
  async function describe(url) {
    const where = siteOf(url);
    const site = where === null ? null : sites.get(where);
    const slug = site?.allowed === false ? site.slug : session.slug;
    const status = { state: session.state, version: session.hello?.version ?? null };
    let advice = '';
    let key = site?.key ?? null;
    try {
      const loaded = await core();
      if (slug) advice = loaded.adviceFor(slug);
      if (where !== null) key ??= loaded.classifyHostname(where.host).key ?? null;
    } catch {
      // Without the core the page still says what happened.
    }
    return { where, site, slug, advice, key, session: status };
  }

  const table = {
    describe: { from: ['popup', 'blocked'], accepts: isUrl, run: describe },
    reopen: { from: ['blocked'], accepts: isUrl, run: reopen },
  };

  webextension.runtime.onMessage.addListener((message, sender, respond) => {
    const entry = Object.hasOwn(table, message?.op) ? table[message.op] : null;
    if (!entry?.from.includes(senderOf(sender)) || !entry.accepts(message.body)) return false;
    ready.then(() => entry.run(message.body)).then(respond, () => respond(null));
    return true;
  });
}
