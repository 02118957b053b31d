// SPDX-License-Identifier: Apache-2.0
// What somebody who stole the key of the local authority could do with it: nothing outside `.key`.
// Certificates made with the real key, shown to browsers of a home where `dotkey install` was run,
// without the extension, and to OpenSSL. In sandbox.sh, where the names lead to the test's servers.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { browserNames, startInstalledBrowser } from './browsers.mjs';
import { startResolver } from './resolver.mjs';
import { World } from './world.mjs';

const chosen = process.env.DOTKEY_BROWSERS?.split(',') ?? browserNames;
const world = new World();
let resolver;

const key = 'yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no';
// [what it is for, host in the address, names in the certificate]
const good = ['a host below a key', `www.${key}.key`, `DNS:www.${key}.key`];
// Within the constraint too; with the extension it is closed (broken.test.mjs).
const bare = ['key itself', 'key', 'DNS:key'];
const foreign = [
  ['example.com', 'example.com', 'DNS:example.com'],
  ['example.com beside a key', 'example.com', `DNS:${key}.key,DNS:example.com`],
  ['a name that ends like a key', 'example.key.com', 'DNS:example.key.com'],
  ['a name that begins with a key', `${key}.key.example.com`, `DNS:${key}.key.example.com`],
  ['a name that contains key', 'monkey', 'DNS:monkey'],
  ['a wildcard of all names', 'any.sub.example', 'DNS:*.sub.example'],
  ['a key without .key', key, `DNS:${key}`],
  ['an IPv4 address', '127.0.2.100', 'IP:127.0.2.100'],
  ['an IPv6 address', '[::1]', 'IP:::1'],
];

// As trust::LeafMint makes them, but for the names and, for `issuer`, who signed.
async function mint(name, names, issuer = 'local') {
  await writeFile(world.file(`${name}.ext`), [`subjectAltName=${names}`,
    'keyUsage=digitalSignature', 'extendedKeyUsage=serverAuth', ''].join('\n'));
  await world.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=leaf');
  await world.openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${issuer}.crt`, '-CAkey',
    `${issuer}.key`, '-CAcreateserial', '-days', '7', '-extfile', `${name}.ext`, '-out',
    `${name}.crt`);
  const cert = await Promise.all([name, issuer].map((n) => readFile(world.file(`${n}.crt`))));
  return { key: await readFile(world.file(`${name}.key`)), cert: Buffer.concat(cert) };
}

async function serve(what, host, certificate) {
  const number = world.sites.length + 1;
  const address = /^[\d.]+$|^\[/.test(host) ? host.replace(/[[\]]/g, '') : `127.0.1.${number}`;
  const site = world.siteAt(`site ${number}`, address);
  await site.listen(certificate);
  world.addresses.set(host, address);
  return { what, host, address, site };
}

const served = [];
let control, bareControl;
before(async () => {
  resolver = await startResolver(world.addresses);
  await world.start();
  await world.install();
  const pem = await readFile(world.file('.local/state/dotkey/ca.pem'), 'utf8');
  for (const [file, label] of [['local.key', 'PRIVATE KEY'], ['local.crt', 'CERTIFICATE']]) {
    const [part] = new RegExp(`-----BEGIN ${label}-----[^]*?-----END ${label}-----\n`).exec(pem);
    await writeFile(world.file(file), part);
  }
  let count = 0;
  for (const [what, host, names] of [good, bare, ...foreign]) {
    served.push(await serve(what, host, await mint(`leaf${count++}`, names)));
  }
  [control, bareControl] = served.splice(0, 2);
  // An authority below ours, without constraints of its own.
  await writeFile(world.file('below.ext'), 'basicConstraints=critical,CA:true\n');
  await world.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', 'below.key', '-out', 'below.csr', '-subj', '/CN=below');
  await world.openssl('x509', '-req', '-in', 'below.csr', '-CA', 'local.crt', '-CAkey', 'local.key',
    '-CAcreateserial', '-days', '7', '-extfile', 'below.ext', '-out', 'below.crt');
  served.push(await serve('a host below a key, by another authority in between',
    `below.${key}.key`, await mint('leafbelow', `DNS:below.${key}.key`, 'below')));
});
after(async () => {
  await world.close();
  resolver.close();
});

/** null when OpenSSL trusts what the server shows, else its reason. */
function askOpenSsl({ host, address }) {
  const at = address.includes(':') ? `[${address}]` : address;
  const name = host === at ? ['-verify_ip', address] : ['-verify_hostname', host];
  const options = ['s_client', '-connect', `${at}:443`, '-servername', 'any.example', '-CAfile',
    world.file('local.crt'), '-no-CApath', '-no-CAstore', '-verify_return_error', ...name];
  return new Promise((resolve) => {
    const child = execFile('openssl', options, (error, stdout, stderr) =>
      resolve(error === null ? null : /verify error:.*/.exec(stdout + stderr)?.[0] ?? 'other'));
    child.stdin.end();
  });
}

test('OpenSSL trusts the authority below .key and nowhere else', async () => {
  assert.equal(await askOpenSsl(control), null);
  assert.equal(await askOpenSsl(bareControl), null);
  for (const one of served) {
    assert.match(await askOpenSsl(one) ?? '',
      /(permitted|excluded) subtree violation|path length constraint exceeded/, one.what);
  }
});

for (const name of chosen) {
  describe(name, () => {
    let browser;
    before(async () => {
      browser = await startInstalledBrowser(name, world, { extension: [] });
    });
    after(async () => browser?.close());

    /** null when the page came, else the browser's reason. */
    async function open({ host, site }) {
      site.requests.length = 0;
      const tab = await browser.browser.newPage();
      // Of the two a browser may give the one or the other.
      const failed = new Promise((resolve) => {
        tab.once('requestfailed', (request) => resolve(request.failure().errorText));
      });
      const gone = tab.goto(`https://${host}/`).then(() => null, ({ message }) => message);
      return Promise.race([gone, failed]);
    }

    test('the authority is trusted below .key and for key, without the extension', async () => {
      for (const one of [control, bareControl]) {
        assert.equal(await open(one), null, one.what);
        assert.deepEqual(one.site.requests.slice(0, 1), ['GET /']);
      }
    });

    test('it is not trusted anywhere else', async () => {
      for (const one of served) {
        assert.match(await open(one) ?? '', /ERR_CERT_|SEC_ERROR_|NS_ERROR_|insecure/i, one.what);
        assert.deepEqual(one.site.requests, [], one.what);
      }
    });
  });
}
