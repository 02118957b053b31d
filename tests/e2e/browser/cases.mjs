// SPDX-License-Identifier: Apache-2.0
// Sites, each with one thing that makes it different: what its key publishes or its server shows.
// `make(world)` gives {site, url}; `slug` is why the page is blocked, and missing where it opens.

const tlsa = (port, pin, below = '') => `_${port}._tcp${below} 300 TLSA ${pin}`;
const otherPin = `3 1 1 ${'ab'.repeat(32)}`;

async function siteOf(world, name, records, options = {}) {
  const site = await world.addSite(name, { ...options, records });
  return { site, url: site.url };
}

/** Two keys: `records` are of the one asked for, and lead to the other, whose server answers. */
async function leadingTo(world, name, port, records) {
  const target = await world.addKey(`${name}-target`);
  const site = await world.addKey(name);
  const certificate = await world.certificate(name, site.host);
  await target.listen(certificate, { port, title: name });
  await target.publish(`@ 300 A ${target.address}`, tlsa(port, certificate.pin));
  await site.publish(...records(target));
  return { site: target, title: name, url: site.url };
}

export const opening = [
  { what: 'the pinned certificate', make: (world) => siteOf(world, 'good') },
  {
    what: 'a certificate that a pinned authority issued',
    async make(world) {
      const site = await world.addKey('authority');
      const certificate = await world.issuedCertificate('authority', site.host);
      await site.listen(certificate);
      await site.publish(`@ 300 A ${site.address}`, tlsa(443, certificate.pin));
      return { site, url: site.url };
    },
  },
  {
    what: 'a certificate that carries its own key, and no pin',
    async make(world) {
      const site = await world.addKey('keybound');
      await site.listen(await world.keyBoundCertificate(site));
      await site.publish(`@ 300 A ${site.address}`);
      return { site, url: site.url };
    },
  },
  {
    what: 'a subdomain',
    async make(world) {
      const { site } = await siteOf(world, 'subdomain', (s) => [
        `www 300 A ${s.address}`, tlsa(443, s.certificate.pin, '.www')],
      { hosts: (s) => [`www.${s.host}`] });
      return { site, url: `https://www.${site.host}/` };
    },
  },
  {
    what: 'a wildcard in the packet and in the certificate',
    async make(world) {
      const { site } = await siteOf(world, 'wildcard', (s) => [`@ 300 A ${s.address}`,
        '* 300 CNAME @', tlsa(443, s.certificate.pin)], { hosts: (s) => [`*.${s.host}`] });
      return { site, url: `https://any.${site.host}/` };
    },
  },
  {
    what: 'a port that its key pins',
    async make(world) {
      const { site } = await siteOf(world, 'port', (s) => [
        `@ 300 A ${s.address}`, tlsa(9443, s.certificate.pin)], { port: 9443 });
      return { site, url: `https://${site.host}:9443/` };
    },
  },
  {
    what: 'an HTTPS record with a port and the name of another key',
    make: (world) => leadingTo(world, 'service', 9444,
      (target) => [`@ 300 HTTPS 1 ${target.key}. port=9444`]),
  },
  {
    what: 'a CNAME to another key',
    make: (world) => leadingTo(world, 'alias', 443, (target) => [`@ 300 CNAME ${target.key}.`]),
  },
  {
    what: 'a CNAME to a host of the DNS',
    make: (world) => siteOf(world, 'icann', (s) => {
      world.addresses.set('www.site.example', s.address);
      return ['@ 300 CNAME www.site.example.', tlsa(443, s.certificate.pin)];
    }, { hosts: () => ['www.site.example'] }),
  },
  {
    what: 'an IPv6 address',
    make: (world) => siteOf(world, 'six', (s) => [
      '@ 300 AAAA ::1', tlsa(443, s.certificate.pin)], { address: '::1' }),
  },
];

export const blocked = [
  {
    what: 'another certificate than the pinned one', slug: 'pin.mismatch',
    make: (world) => siteOf(world, 'mismatch',
      (s) => [`@ 300 A ${s.address}`, tlsa(443, otherPin)]),
  },
  {
    what: 'no pin', slug: 'pin.no_records',
    make: (world) => siteOf(world, 'pinless', (s) => [`@ 300 A ${s.address}`]),
  },
  {
    what: 'a pinned certificate of another name', slug: 'pin.name_mismatch',
    make: (world) => siteOf(world, 'misnamed', undefined, { hosts: () => ['other.example'] }),
  },
  {
    what: 'a port that its key says nothing of', slug: 'proxy.port_refused',
    async make(world) {
      const { site } = await siteOf(world, 'unpublished');
      return { site, url: `https://${site.host}:9445/` };
    },
  },
  {
    what: 'an address of this computer that the user did not allow',
    slug: 'proxy.address_refused',
    make: (world) => siteOf(world, 'local', undefined, { allowLocal: false }),
  },
  {
    what: 'no server', slug: 'site.unreachable',
    async make(world) {
      const site = await world.addKey('down');
      await site.publish(`@ 300 A ${site.address}`, tlsa(443, otherPin));
      return { site, url: site.url };
    },
  },
  {
    what: 'no packet', slug: 'not_found',
    async make(world) {
      const site = await world.addKey('absent');
      return { site, url: site.url };
    },
  },
  {
    what: 'a name that is no key', slug: 'hostname.malformed',
    make: async () => ({ site: { requests: [] }, url: 'https://not-a-key.key/' }),
  },
];
