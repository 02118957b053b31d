// SPDX-License-Identifier: Apache-2.0
// What the extension's own pages may ask. One table; the sender is proved by what the browser
// stamps on a message, and no page of a site is ever answered.
import { keyOf, siteOf } from '../lib/hosts.js';
import { parseHttpKeys } from '../lib/native-protocol.js';
import { isPlainOffered } from '../lib/plain-offer.js';
import { webextension } from '../lib/webextension.js';

const doctorTimeoutMs = 100_000;

const isUrl = (value) => typeof value === 'string' && value.length <= 4096;

function senderOf(sender) {
  if (sender.id !== webextension.runtime.id || typeof sender.url !== 'string') return null;
  const address = sender.url.split(/[?#]/)[0];
  return ['popup', 'blocked', 'options'].find(
    (page) => address === webextension.runtime.getURL(`${page}/${page}.html`)) ?? null;
}

const isConsent = (body) => isUrl(body?.url) && typeof body.allow === 'boolean';

export function registerMessages({ ready, session, sites, plainKeys, reopen, core }) {
  async function describe(url) {
    const where = siteOf(url);
    // Nothing is known of a page that nobody verified, even if there is one beside it that was.
    const plain = plainKeys.covers(url);
    const site = where === null || plain ? null : sites.get(where);
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
    return { where, site, slug, advice, key, plain, session: status };
  }

  // The user's word, from a page of ours. The program keeps it, and decides for each request
  // whether the key has a pin by now. → the address to open over http; null where that cannot be.
  async function allowHttp({ url, allow }) {
    const where = siteOf(url);
    const key = where === null ? null : keyOf(where.host);
    if (key === null) return null;
    if (allow && !isPlainOffered(sites.get(where))) return null;
    const { keys } = await session.request('allow_http', { key, allow });
    await plainKeys.set(parseHttpKeys({ http_keys: keys }));
    const { pathname, search, hash } = new URL(url);
    return `http://${where.host}${pathname}${search}${hash}`;
  }

  const doctor = () => session.request('doctor', {}, doctorTimeoutMs);

  const table = {
    allow_http: { from: ['popup', 'blocked'], accepts: isConsent, run: allowHttp },
    describe: { from: ['popup', 'blocked'], accepts: isUrl, run: describe },
    doctor: { from: ['options', 'blocked'], accepts: () => true, run: doctor },
    reopen: { from: ['blocked'], accepts: isUrl, run: reopen },
  };

  webextension.runtime.onMessage.addListener((message, sender, respond) => {
    const entry = Object.hasOwn(table, message?.op) ? table[message.op] : null;
    if (!entry?.from.includes(senderOf(sender)) || !entry.accepts(message.body)) return false;
    ready.then(() => entry.run(message.body)).then(respond, () => respond(null));
    return true;
  });
}
