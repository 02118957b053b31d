// SPDX-License-Identifier: Apache-2.0
// Which host names are ours, without the core: these questions are asked before it is loaded, and
// for every request. The core has the last word about what is a key.

const zbase32 = '[13-9a-km-uw-z]';
const bareHost = new RegExp(`^(?:[a-z0-9_-]{1,63}\\.)*${zbase32}{52}$`);
const keyHost = new RegExp(`^(?:[a-z0-9_-]{1,63}\\.)*${zbase32}{52}\\.key$`);

export function normaliseHost(host) {
  return host.toLowerCase().replace(/\.+$/, '');
}

/** Everything below the TLD, well formed or not: none of it may reach the DNS. */
export function isKeyHost(host) {
  const name = normaliseHost(host);
  return name === 'key' || name.endsWith('.key');
}

/** "[sub.]<key>" without the TLD, as older links have it. */
export function isBareKeyHost(host) {
  return bareHost.test(normaliseHost(host));
}

/** The key of a host below `.key`, as it is spelled there; null for any other. */
export function keyOf(host) {
  const name = normaliseHost(host);
  return keyHost.test(name) ? name.slice(-56, -4) : null;
}

const pageSchemes = ['http:', 'https:'];

function parseAddress(url, schemes) {
  try {
    const parsed = new URL(url);
    return schemes.includes(parsed.protocol) ? parsed : null;
  } catch {
    return null;
  }
}

/** {host, port} of a web address below `.key`, of a WebSocket's too; null for any other. */
export function siteOf(url) {
  const parsed = parseAddress(url, [...pageSchemes, 'ws:', 'wss:']);
  if (parsed === null || !isKeyHost(parsed.hostname)) return null;
  const port = parsed.port === '' ? 443 : Number(parsed.port);
  return { host: normaliseHost(parsed.hostname), port };
}

/** Where a bare key's address should lead; null when it is none. */
export function addressOfBareKey(url) {
  const parsed = parseAddress(url, pageSchemes);
  if (parsed === null || !isBareKeyHost(parsed.hostname)) return null;
  const port = parsed.port === '' ? '' : `:${parsed.port}`;
  const rest = parsed.pathname + parsed.search + parsed.hash;
  return `https://${normaliseHost(parsed.hostname)}.key${port}${rest}`;
}

/** The address in what a person typed: "<key>", "sub.<key>.key/path", "pk:<key>"; else null. */
export function addressOfText(text) {
  const trimmed = text.trim().replace(/^(?:pk:(?:\/\/)?|https?:\/\/)/i, '');
  const [, host, port = '', rest = '/'] = /^([^/?#:]+)(:\d{1,5})?([/?#].*)?$/.exec(trimmed) ?? [];
  if (host === undefined) return null;
  const name = normaliseHost(host);
  if (keyHost.test(name)) return `https://${name}${port}${rest}`;
  return bareHost.test(name) ? `https://${name}.key${port}${rest}` : null;
}

/** The address that a search was made of by mistake; null for a real search. */
export function addressOfSearch(url) {
  const parsed = parseAddress(url, pageSchemes);
  if (parsed === null) return null;
  for (const name of ['q', 'p', 'query', 'text', 'wd']) {
    const value = parsed.searchParams.get(name);
    // A key without its TLD may be what somebody wants to read about.
    if (value !== null) return /\.key(?:[.:/?#]|$)/i.test(value) ? addressOfText(value) : null;
  }
  return null;
}

/** The origin of an address with a slash behind it, which is all that tells sites apart; or ''. */
export function originOf(url) {
  try {
    return `${new URL(url).origin}/`;
  } catch {
    return '';
  }
}
