// SPDX-License-Identifier: Apache-2.0
// Chrome's PAC script: where it sends `.key`, and that other hosts keep the proxies they had.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pacScript, rulesOf } from '../../extension-chrome/proxy/pac.js';

const key = 'yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no';

// What Chrome gives a script, as far as it is used.
const shExpMatch = (text, glob) => new RegExp(`^${glob.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  .replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text);
const numberOf = (address) => address.split('.').reduce((n, part) => n * 256 + Number(part), 0);
function isInNetEx(address, net) {
  const [base, bits] = net.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(base) / size);
}

function finder(settings, port = 4001) {
  const script = pacScript(port, JSON.parse(JSON.stringify(rulesOf(settings))));
  const find = new Function('shExpMatch', 'isInNetEx', `${script}; return FindProxyForURL;`)(
    shExpMatch, isInNetEx);
  return (url) => find(url, new URL(url).hostname);
}

const fixed = (rules) => ({ mode: 'fixed_servers', rules });
const proxy = (host, port, scheme) => ({ host, port, scheme });

test('everything below .key goes to the program, whatever was set before', () => {
  const find = finder(fixed({ singleProxy: proxy('p.example', 3128),
    bypassList: ['*.key', '<local>', '*'] }));
  for (const host of [`${key}.key`, `www.${key}.key`, `${key}.key.`, 'key', 'x.key']) {
    for (const scheme of ['http', 'https', 'ws', 'wss']) {
      assert.equal(find(`${scheme}://${host}/`), 'PROXY 127.0.0.1:4001', host);
    }
  }
  assert.equal(find(`https://${key}/`), 'PROXY 127.0.0.1:1');
});

test('a port that is none is the dead one', () => {
  for (const port of ['none', 0, 65536, null, 1.5]) {
    assert.equal(finder(undefined, port)(`https://${key}.key/`), 'PROXY 127.0.0.1:1');
  }
});

test('without fixed proxies all else goes its own way', () => {
  for (const settings of [undefined, { mode: 'system' }, { mode: 'direct' }, fixed({})]) {
    assert.equal(finder(settings)('https://example.com/'), 'DIRECT');
  }
});

test('one proxy for all keeps all', () => {
  const find = finder(fixed({ singleProxy: proxy('p.example', 3128, 'https') }));
  for (const scheme of ['http', 'https', 'ftp', 'wss']) {
    assert.equal(find(`${scheme}://example.com/`), 'HTTPS p.example:3128');
  }
});

test('a proxy of a scheme keeps that scheme', () => {
  const find = finder(fixed({ proxyForHttp: proxy('a.example', 1), fallbackProxy:
    proxy('c.example', 3, 'socks5'), proxyForHttps: proxy('b.example', 2) }));
  assert.equal(find('http://example.com/'), 'PROXY a.example:1');
  assert.equal(find('https://example.com/'), 'PROXY b.example:2');
  assert.equal(find('ftp://example.com/'), 'SOCKS5 c.example:3');
  assert.equal(find('wss://example.com/'), 'SOCKS5 c.example:3');
  const httpAlone = finder(fixed({ proxyForHttp: proxy('a.example', 1) }));
  assert.equal(httpAlone('https://example.com/'), 'DIRECT');
});

test('the hosts that went past the proxy still do', () => {
  const find = finder(fixed({ singleProxy: proxy('p.example', 3128), bypassList: ['<local>',
    'plain.example', '*.wild.example', '.dot.example', 'https://secure.example:8443',
    '10.0.0.0/8', '192.0.2.7', '<-loopback>', ''] }));
  const direct = ['http://printer/', 'https://plain.example/', 'https://a.b.wild.example/',
    'https://www.dot.example/', 'https://secure.example:8443/', 'http://10.1.2.3/',
    'http://192.0.2.7/'];
  for (const url of direct) assert.equal(find(url), 'DIRECT', url);
  const proxied = ['https://www.plain.example/', 'https://wild.example/', 'https://dot.example/',
    'https://secure.example/', 'http://secure.example:8443/', 'http://11.1.2.3/',
    'http://10.example/', 'http://192.0.2.8/'];
  for (const url of proxied) assert.equal(find(url), 'PROXY p.example:3128', url);
});

test('a proxy whose name is no name is not written into the script', () => {
  const find = finder(fixed({ singleProxy: proxy("x'; return 'DIRECT", 1) }));
  assert.equal(find('https://example.com/'), 'DIRECT');
  assert.equal(find(`https://${key}.key/`), 'PROXY 127.0.0.1:4001');
});
