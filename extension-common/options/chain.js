// SPDX-License-Identifier: Apache-2.0
// What is known of each link between this browser and the network: what the extension sees by
// itself, and what the program's doctor found (docs/protocol/cli-json.md) where it was asked.

const stepOfLink = {
  extension: 'extension',
  manifest: 'manifest',
  configuration: 'program',
  state: 'program',
  clock: 'program',
  daemon: 'program',
  ca: 'ca',
  trust: 'ca',
  preferences: 'proxy',
  proxy: 'proxy',
  probe: 'proxy',
  dht: 'network',
  relay: 'network',
};
const stepOfSlug = {
  'host.missing': 'manifest',
  'host.forbidden': 'manifest',
  'browser.proxy_taken': 'proxy',
};

// From good to bad.
const states = ['ok', 'untested', 'warning', 'broken'];
const worstOf = (some) => states[Math.max(...some.map((state) => states.indexOf(state)))];

const step = (state, more = {}) => ({ state, says: null, faults: [], mend: null, ...more });

function extensionStep({ permitted }) {
  return permitted ? step('ok')
    : step('broken', { faults: [{ message: ['chain_permission_missing'] }], mend: 'permit' });
}

/** The steps as far as the session came. */
function sessionSteps({ session, slug, advice, mode, browser, hasProgram }) {
  const steps = { manifest: step('ok'), program: step('ok'), ca: step('untested'),
    proxy: step('untested') };
  if (session.state === 'ready') {
    return { ...steps, program: step('ok', { says: ['chain_program_fine', session.version] }) };
  }
  if (slug === '') return { ...steps, manifest: step('untested'), program: step('untested') };
  const at = stepOfSlug[slug] ?? 'program';
  if (at === 'manifest') steps.program = step('untested');
  const install = hasProgram ? `dotkey install --browser ${browser}` : '';
  const command = at === 'manifest' ? install : at === 'program' ? 'dotkey doctor' : '';
  // Without the program relays do what they can.
  steps[at] = step(mode === 'relay' ? 'warning' : 'broken',
    { faults: [{ slug, advice, command }], mend: 'connect' });
  return steps;
}

function relayStep({ relays, standardRelays }) {
  const fine = relays.filter(({ answered, failing }) => answered && !failing).length;
  const says = ['chain_relays_text', fine, relays.length];
  if (fine > 0) return step('ok', { says });
  if (relays.length > 0 && !relays.every(({ failing }) => failing)) {
    return step('untested', { says: ['chain_relays_untried'] });
  }
  const isStandard = relays.length === standardRelays.length &&
    relays.every(({ url }) => standardRelays.includes(url));
  const message = relays.length === 0 ? ['chain_relays_none'] : says;
  return step('broken', { faults: [{ message }], mend: isStandard ? null : 'relays' });
}

function networkStep({ mode, session, nodes, relays, standardRelays }) {
  if (mode === 'relay') return relayStep({ relays, standardRelays });
  if (session.state !== 'ready') return step('untested');
  const fine = relays.filter(({ answered, failing }) => answered && !failing).length;
  return step(nodes > 0 || fine > 0 ? 'ok' : 'untested',
    { says: ['chain_network_text', nodes, fine, relays.length] });
}

const faultOf = ({ subject, text, command, details }) => ({ subject, text, command, details });

/** A step beside what the doctor found; of the network it knows more than what was seen before. */
function examined(name, known, links) {
  if (links.length === 0) return known;
  const seen = links.map(({ state }) => state);
  // What the session could not know the report does.
  const own = name === 'network' || known.state === 'untested' ? [] : [known.state];
  return { ...known, state: worstOf([...own, ...seen]),
    says: name === 'network' ? null : known.says,
    faults: [...known.faults, ...links.filter(({ state }) => state !== 'ok').map(faultOf)] };
}

/**
 * facts: {permitted: may reach `.key`, browser: for `dotkey install`, hasProgram: there is one for
 * this system, session: {state, version}, slug, advice, mode, nodes, relays: [{url, answered,
 * failing}], standardRelays, report: links as of parseReport(), or null}.
 * → [{name, state: 'ok', 'untested', 'warning' or 'broken', says: [message, …values] or null,
 *     faults: [{message}, {slug, advice, command} or {subject, text, command, details}],
 *     mend: 'permit', 'connect', 'relays' or null}], each needing those before it.
 */
export function chainOf(facts) {
  const { report } = facts;
  const known = { extension: extensionStep(facts), ...sessionSteps(facts),
    network: networkStep(facts) };
  return Object.entries(known).map(([name, one]) => ({ name, ...examined(name, one,
    // A link of a newer program is about the program.
    (report ?? []).filter(({ link }) => (stepOfLink[link] ?? 'program') === name)) }));
}

/** The message that says how the whole chain is. */
export function verdictOf(steps) {
  const worst = worstOf(steps.map(({ state }) => state));
  if (worst === 'broken') return 'chain_some_broken';
  return worst === 'ok' ? 'chain_all_ok' : 'chain_none_broken';
}
