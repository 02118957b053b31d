// SPDX-License-Identifier: Apache-2.0
// The PAC script: `.key` to the program and nowhere else; everything else as the fixed proxy
// settings had it that were there before.

// Nothing listens there: only root could.
export const deadPort = 1;

const kinds = { http: 'PROXY', https: 'HTTPS', socks4: 'SOCKS', socks5: 'SOCKS5' };

function pacName({ scheme = 'http', host, port } = {}) {
  const kind = kinds[scheme];
  if (kind === undefined || !/^[\w.:[\]-]+$/.test(host ?? '')) return undefined;
  return `${kind} ${host}:${port ?? (scheme.startsWith('socks') ? 1080 : 80)}`;
}

/** One entry of Chrome's bypassList; null for one that says nothing here. */
function parseBypass(text) {
  const [, scheme = '', rest] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/i.exec(text.trim());
  if (rest === '<local>') return { local: true };
  if (/^[0-9a-f.:]+\/\d+$/i.test(rest)) return { net: rest };
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:<>]+)(?::(\d+))?$/.exec(rest) ?? [];
  if (host === '') return null;
  const pattern = host.startsWith('.') ? `*${host}` : host;
  return { scheme: scheme.toLowerCase(), pattern: pattern.toLowerCase(), port };
}

/** The value of the proxy settings, for a script: {proxies, bypass}. */
export function rulesOf({ mode, rules = {} } = {}) {
  if (mode !== 'fixed_servers') return { proxies: {}, bypass: [] };
  const http = pacName(rules.proxyForHttp);
  const https = pacName(rules.proxyForHttps);
  const other = pacName(rules.singleProxy) ?? pacName(rules.fallbackProxy);
  // As Chrome does for WebSockets: a proxy for all, else that of https, else that of http.
  const socket = other ?? https ?? http;
  const proxies = { http, https, ftp: pacName(rules.proxyForFtp), ws: socket, wss: socket, other };
  return { proxies, bypass: (rules.bypassList ?? []).map(parseBypass).filter(Boolean) };
}

// The text of this function goes into the script, where shExpMatch and isInNetEx are.
function proxyOfTheRest(rest, url, host) {
  const [, scheme = '', port = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/(?:[^/?#]*@)?(?:\[[^\]]*\]|[^/?#:]*)(?::(\d+))?/i.exec(url) || [];
  const usual = { http: '80', ws: '80', https: '443', wss: '443', ftp: '21' };
  const name = host.replace(/^\[|\]$/g, '');
  const bypassed = rest.bypass.some((rule) => {
    if (rule.local) return !/[.:]/.test(name);
    // eslint-disable-next-line no-undef
    if (rule.net) return /^[\d.]+$|:/.test(name) && isInNetEx(name, rule.net);
    return (rule.scheme === '' || rule.scheme === scheme) &&
      (rule.port === '' || rule.port === (port || usual[scheme])) &&
      // eslint-disable-next-line no-undef
      shExpMatch(name, rule.pattern.replace(/^\[|\]$/g, ''));
  });
  return (!bypassed && (rest.proxies[scheme] || rest.proxies.other)) || 'DIRECT';
}

/**
 * Hosts are compared without regular expressions where that is possible: the script runs for every
 * request of the browser. It has no way out for `.key` but a proxy. `rest`: of rulesOf().
 */
export function pacScript(port, rest) {
  const usable = Number.isInteger(port) && port > 0 && port < 65536;
  return `${proxyOfTheRest}
const rest = ${JSON.stringify(rest)};
function FindProxyForURL(url, host) {
  try {
    host = host.toLowerCase().replace(/\\.+$/, '');
    if (host === 'key' || host.slice(-4) === '.key') {
      return 'PROXY 127.0.0.1:${usable ? port : deadPort}';
    }
    if (host.length < 52 || !/^(?:[a-z0-9_-]+\\.)*[13-9a-km-uw-z]{52}$/.test(host)) {
      return proxyOfTheRest(rest, url, host);
    }
  } catch (error) {}
  return 'PROXY 127.0.0.1:${deadPort}';
}`;
}
