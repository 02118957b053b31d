// SPDX-License-Identifier: Apache-2.0
// Messages between the extension and the program: docs/protocol/native-messaging.md. What comes in
// is checked for form here, so that nothing else has to.
import { parseBase64 } from './bytes.js';

export const protocolVersion = 1;
export const hostName = 'org.dotkey.host';

const packetsMax = 16;
const certificatesMax = 8;
const packetSizeMax = 1104;
const certificateSizeMax = 32768;
export const slugForm = /^[a-z0-9]{1,32}(\.[a-z0-9_]{1,48})?$/;

export class Malformed extends Error {}

function require(condition, what) {
  if (!condition) throw new Malformed(what);
}

const isPort = (value) => Number.isInteger(value) && value > 0 && value < 65536;
const isText = (value, sizeMax) => typeof value === 'string' && value.length <= sizeMax;
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

function parseList(list, countMax, sizeMax, what) {
  require(Array.isArray(list) && list.length <= countMax, what);
  return list.map((text) => {
    require(isText(text, Math.ceil(sizeMax / 3) * 4), what);
    try {
      return parseBase64(text);
    } catch {
      throw new Malformed(what);
    }
  });
}

export function encodeMessage(id, op, body) {
  return { v: protocolVersion, id, op, body };
}

/** → {id, op, body}; id 0 for what the program sends by itself. */
export function parseMessage(message) {
  require(isObject(message) && message.v === protocolVersion, 'version');
  const { id, op, body = {} } = message;
  require(isCount(id), 'id');
  require(isText(op, 32), 'op');
  require(isObject(body), 'body');
  return { id, op, body };
}

const fingerprintForm = /^[0-9a-f]{64}$/;
const keyForm = /^[13-9a-km-uw-z]{52}$/;
const httpKeysMax = 4096;

export function parseHttpKeys({ http_keys: keys = [] }) {
  require(Array.isArray(keys) && keys.length <= httpKeysMax, 'http_keys');
  require(keys.every((key) => isText(key, 52) && keyForm.test(key)), 'http_keys');
  return keys;
}

export function parseCa({ ca_sha256: fingerprint }) {
  require(isText(fingerprint, 64) && fingerprintForm.test(fingerprint), 'ca_sha256');
  return fingerprint;
}

/** Nothing but a site's own first page may be asked for. */
export function parseProbe({ request_id: requestId, url }) {
  require(isCount(requestId), 'request_id');
  require(isText(url, 80) && /^https:\/\/[13-9a-km-uw-z]{52}\.key\/$/.test(url), 'url');
  return { requestId, url };
}

export function parseHello(body) {
  require(isText(body.version, 64), 'version');
  require(isPort(body.proxy_port), 'proxy_port');
  const fingerprint = body.ca_sha256 ?? null;
  require(fingerprint === null || fingerprintForm.test(fingerprint), 'ca_sha256');
  return { version: body.version, proxyPort: body.proxy_port, caSha256: fingerprint,
    httpKeys: parseHttpKeys(body) };
}

export function parseEvidence(body) {
  const { request_id, host, port, route } = body;
  require(isCount(request_id), 'request_id');
  require(isText(host, 254), 'host');
  require(isPort(port), 'port');
  require(isObject(route) && isText(route.host, 254) && isPort(route.port), 'route');
  require(route.address === undefined || isText(route.address, 64), 'route.address');
  return {
    requestId: request_id,
    host,
    port,
    route: { host: route.host, port: route.port, address: route.address ?? '' },
    packets: parseList(body.packets, packetsMax, packetSizeMax, 'packets'),
    chain: parseList(body.chain, certificatesMax, certificateSizeMax, 'chain'),
    source: ['cache', 'dht', 'relay'].includes(body.source) ? body.source : '',
    ageS: isCount(body.age_s) ? body.age_s : null,
  };
}

export function parseProgress({ key, queried, responded, stored }) {
  require(/^[13-9a-km-uw-z]{52}$/.test(key), 'key');
  require(isCount(queried) && isCount(responded) && isCount(stored), 'counts');
  return { key, queried, responded, stored };
}

export function parseRefusal(body) {
  require(isText(body.host, 254) && isPort(body.port), 'site');
  require(isText(body.slug, 81) && slugForm.test(body.slug), 'slug');
  return { host: body.host, port: body.port, slug: body.slug, pinless: body.pinless === true };
}

const linksMax = 256;
const linkTextMax = 1 << 16;
const linkStates = ['ok', 'warning', 'broken', 'untested'];

/** What the doctor found (docs/protocol/cli-json.md) → [{link, state, text, subject, command,
 * details}] */
export function parseReport({ links }) {
  require(Array.isArray(links) && links.length <= linksMax && links.every(isObject), 'links');
  return links.map(({ link, state, text, subject = '', command = '', details = [] }) => {
    require(linkStates.includes(state), 'state');
    require([link, text, subject, command].every((value) => isText(value, linkTextMax)), 'link');
    require(Array.isArray(details) && details.length <= linksMax &&
      details.every((line) => isText(line, linkTextMax)), 'details');
    return { link, state, text, subject, command, details };
  });
}
