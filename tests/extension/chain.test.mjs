// SPDX-License-Identifier: Apache-2.0
// The chain of the options page: from what the extension knows and what the doctor found to the
// state of each step.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Malformed, parseReport } from '../../extension-common/lib/native-protocol.js';
import { chainOf, verdictOf } from '../../extension-common/options/chain.js';

const standardRelays = ['https://a.example', 'https://b.example'];
const relay = (url, state = {}) => ({ url, answered: false, failing: false, ...state });
const fine = { answered: true, failing: false };
const failing = { answered: false, failing: true };

const facts = (more = {}) => ({ permitted: true, browser: 'chromium', hasProgram: true,
  session: { state: 'ready', version: '0.1.0' }, slug: '', advice: '', mode: 'host', nodes: 7,
  relays: [relay('https://a.example', fine)], standardRelays, report: null, ...more });
const lost = (slug, more = {}) => facts({ session: { state: 'lost', version: null }, slug,
  mode: slug === 'host.missing' ? 'relay' : 'host', ...more });

const statesOf = (steps) => Object.fromEntries(steps.map(({ name, state }) => [name, state]));
const stepOf = (steps, wanted) => steps.find(({ name }) => name === wanted);
const found = (link, state, more = {}) =>
  ({ link, state, text: `${link} is ${state}`, subject: '', command: '', details: [], ...more });

const good = ['configuration', 'state', 'clock', 'manifest', 'preferences', 'ca', 'trust', 'daemon',
  'proxy', 'extension', 'dht', 'relay', 'probe'];

test('steps are in the order in which they need each other', () => {
  assert.deepEqual(chainOf(facts()).map(({ name }) => name),
    ['extension', 'manifest', 'program', 'ca', 'proxy', 'network']);
});

test('a session proves the way to the program, and no more than that', () => {
  assert.deepEqual(statesOf(chainOf(facts())), { extension: 'ok', manifest: 'ok', program: 'ok',
    ca: 'untested', proxy: 'untested', network: 'ok' });
  assert.equal(verdictOf(chainOf(facts())), 'chain_none_broken');
});

test('a report in which all is well makes the whole chain well', () => {
  const steps = chainOf(facts({ report: good.map((link) => found(link, 'ok')) }));
  assert.deepEqual([...new Set(Object.values(statesOf(steps)))], ['ok']);
  assert.equal(verdictOf(steps), 'chain_all_ok');
});

for (const link of good) {
  test(`a broken ${link} breaks one step, which names the command`, () => {
    const steps = chainOf(facts({ report: good.map((name) => (name === link
      ? found(name, 'broken', { command: 'mend it', subject: 's' }) : found(name, 'ok'))) }));
    const broken = steps.filter(({ state }) => state === 'broken');
    assert.equal(broken.length, 1);
    assert.deepEqual(broken[0].faults,
      [{ subject: 's', text: `${link} is broken`, command: 'mend it', details: [] }]);
    assert.equal(verdictOf(steps), 'chain_some_broken');
  });
}

test('a link that is new to the extension is not lost', () => {
  const steps = chainOf(facts({ report: [found('tomorrow', 'broken')] }));
  assert.equal(statesOf(steps).program, 'broken');
});

test('what the network said before does not stand against what the doctor saw', () => {
  const steps = chainOf(facts({ nodes: 0, relays: [relay('https://a.example', failing)],
    report: [found('dht', 'ok'), found('relay', 'warning')] }));
  assert.equal(statesOf(steps).network, 'warning');
});

test('without the permission for .key the extension itself fails, and can ask for it', () => {
  const report = good.map((link) => found(link, 'ok'));
  const step = stepOf(chainOf(facts({ permitted: false, report })), 'extension');
  assert.deepEqual([step.state, step.mend], ['broken', 'permit']);
});

test('a session that ended says how far the way went', () => {
  const cases = {
    'host.missing': ['manifest', 'dotkey install --browser chromium'],
    'host.forbidden': ['manifest', 'dotkey install --browser chromium'],
    'host.lost': ['program', 'dotkey doctor'],
    'daemon.not_started': ['program', 'dotkey doctor'],
    'browser.proxy_taken': ['proxy', ''],
  };
  for (const [slug, [at, command]] of Object.entries(cases)) {
    const steps = chainOf(lost(slug, { mode: 'host' }));
    const states = statesOf(steps);
    assert.equal(states[at], 'broken', slug);
    assert.equal(Object.values(states).filter((state) => state === 'broken').length, 1, slug);
    assert.equal(states.manifest, at === 'manifest' ? 'broken' : 'ok', slug);
    const { faults: [fault], mend } = stepOf(steps, at);
    assert.deepEqual([fault.slug, fault.command, mend], [slug, command, 'connect']);
  }
});

test('where there is no program for the system, none is told to be installed', () => {
  const { faults: [fault] } = stepOf(chainOf(lost('host.missing', { hasProgram: false })),
    'manifest');
  assert.equal(fault.command, '');
});

test('while it connects for the first time, nothing is said to fail', () => {
  const steps = chainOf(facts({ session: { state: 'connecting', version: null } }));
  assert.equal(Object.values(statesOf(steps)).includes('broken'), false);
  assert.equal(statesOf(steps).program, 'untested');
});

test('without the program the relays are the network, and one that answers is enough', () => {
  const network = (relays) => stepOf(chainOf(lost('host.missing', { relays })), 'network');
  const both = (one, other) => standardRelays.map((url, i) => relay(url, [one, other][i]));
  assert.equal(network(both({}, {})).state, 'untested');
  assert.equal(network(both(failing, {})).state, 'untested');
  assert.equal(network(both(failing, fine)).state, 'ok');
  // No others can be had.
  assert.deepEqual([network(both(failing, failing)).state, network(both(failing, failing)).mend],
    ['broken', null]);
  assert.deepEqual([network([]).state, network([]).mend], ['broken', 'relays']);
  const other = network([relay('https://other.example', failing)]);
  assert.deepEqual([other.state, other.mend], ['broken', 'relays']);
  assert.equal(statesOf(chainOf(lost('host.missing'))).manifest, 'warning');
});

test('a report is checked for form', () => {
  const link = { link: 'ca', state: 'ok', text: 'valid' };
  assert.deepEqual(parseReport({ ok: true, links: [link] }),
    [{ ...link, subject: '', command: '', details: [] }]);
  for (const links of [undefined, 'all', [null], [7], Array(257).fill(link),
    [{ ...link, state: 'good' }], [{ ...link, text: 7 }], [{ ...link, link: undefined }],
    [{ ...link, command: ['rm'] }], [{ ...link, subject: 'x'.repeat(65537) }],
    [{ ...link, details: 'all' }], [{ ...link, details: [{}] }]]) {
    assert.throws(() => parseReport({ links }), Malformed, JSON.stringify(links)?.slice(0, 80));
  }
});
