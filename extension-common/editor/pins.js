// SPDX-License-Identifier: Apache-2.0
// Pins: making one of a server's certificate, and changing from one certificate to the next.
import { parseBase64 } from '../lib/bytes.js';
import { rememberedMs } from '../lib/remembered.js';
import { webextension } from '../lib/webextension.js';
import { ask, sentenceOf } from '../ui/ask.js';
import { openForm, part } from '../ui/dialogs.js';
import { find, make } from '../ui/element.js';
import { fillFacts } from '../ui/parts.js';
import { timeText, translate } from '../ui/text.js';

const fileSizeMax = 64 * 1024;
const pinTtl = '3600';

/** PEM or DER → DER, or null. */
export function derOf(bytes) {
  if (bytes[0] === 0x30) return bytes;
  const text = new TextDecoder().decode(bytes);
  const [, inner] =
    /-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/.exec(text) ?? [];
  try {
    return inner === undefined ? null : parseBase64(inner.replace(/\s/g, ''));
  } catch {
    return null;
  }
}

/** "host", "host:port", "[v6]:port" or an https address → {host, port}, or null. */
export function serverOf(text) {
  const trimmed = text.trim().replace(/^https:\/\//i, '').replace(/\/.*$/, '');
  const [, v6, name, port = '443'] =
    /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@]+))(?::(\d{1,5}))?$/i.exec(trimmed) ?? [];
  const host = v6 ?? name;
  if (host === undefined || Number(port) < 1 || Number(port) > 65535) return null;
  return { host, port: Number(port) };
}

/** Whether a certificate for `names` is good for `host` (RFC 6125: one label for a star). */
export function isNamed(names, host) {
  const rest = host.slice(host.indexOf('.') + 1);
  return names.some((name) => name.toLowerCase() === host || name.toLowerCase() === `*.${rest}`);
}

export const ownerOf = (name, port) =>
  `_${port}._tcp${['', '@'].includes(name.trim()) ? '' : `.${name.trim()}`}`;

async function mayConnect({ host }, mode) {
  if (mode === 'host') return true;
  return webextension.permissions.request({ origins: [`https://${host}/*`] });
}

async function fetchPin(text, mode) {
  const server = serverOf(text);
  if (server === null) return { fault: translate('editor_pin_server_malformed') };
  if (!(await mayConnect(server, mode))) return { fault: translate('editor_pin_not_permitted') };
  const answer = await ask('certificate', server);
  if (answer.error !== undefined) return { fault: sentenceOf(answer) };
  return { der: parseBase64(answer.certificate), server };
}

class PinForm {
  #core;
  #key;
  #dialog;
  #server = null;
  pin = null;

  constructor(core, key, dialog) {
    this.#core = core;
    this.#key = key;
    this.#dialog = dialog;
  }

  say(fault) {
    this.#dialog.querySelector('.fault').textContent = fault;
  }

  take(der, server = null) {
    const pin = der === null ? { error: 'malformed' } : this.#core.pinFor(der);
    this.pin = pin.error === undefined ? pin : null;
    this.#server = server;
    this.say(this.pin === null ? translate('editor_pin_malformed') : '');
    this.render();
  }

  render() {
    part(this.#dialog, 'found').hidden = this.pin === null;
    if (this.pin === null) return;
    fillFacts(part(this.#dialog, 'facts'), [
      ['editor_pin_names_label', this.pin.dns_names.length > 0 ? this.pin.dns_names : '–'],
      ['editor_pin_record_label', `TLSA ${this.pin.record}`, 'mono']]);
    const owner = this.#dialog.querySelector('#pin-name').value.trim();
    const below = ['', '@'].includes(owner) ? '' : `${owner}.`;
    const hosts = [`${below}${this.#key}.key`, this.#server?.host].filter(Boolean);
    const mismatch = part(this.#dialog, 'mismatch');
    mismatch.hidden = hosts.some((host) => isNamed(this.pin.dns_names, host));
    mismatch.textContent = translate('editor_pin_name_warning', hosts[0]);
  }
}

/** Asks for a certificate and gives its TLSA record to add(row). */
export function askPin({ core, key, mode, add }) {
  let form = null;
  openForm('form-pin', async ({ owner, port }) => {
    if (form.pin === null) return translate('editor_pin_missing');
    const [usage, selector, matching, hash] = form.pin.record.split(' ');
    add({ name: ownerOf(owner, Number(port)), ttl: pinTtl, type: 'TLSA',
      values: { usage, selector, matching, hash } });
    return null;
  }, (dialog) => {
    form = new PinForm(core, key, dialog);
    const element = (id) => dialog.querySelector(`#${id}`);
    element('pin-server-hint').textContent = translate(`editor_pin_server_hint_${mode}`);
    element('pin-fetch').addEventListener('click', async ({ currentTarget }) => {
      currentTarget.disabled = true;
      const { der, server, fault } = await fetchPin(element('pin-server').value, mode);
      currentTarget.disabled = false;
      if (fault !== undefined) form.say(fault);
      else form.take(der, server);
    });
    element('pin-server').addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      element('pin-fetch').click();
    });
    element('pin-file').addEventListener('change', async ({ currentTarget: { files } }) => {
      if (files.length === 0 || files[0].size > fileSizeMax) return form.take(null);
      form.take(derOf(new Uint8Array(await files[0].arrayBuffer())));
    });
    element('pin-paste').addEventListener('input', ({ currentTarget }) => {
      const text = currentTarget.value.trim();
      if (text !== '') form.take(derOf(new TextEncoder().encode(text)));
    });
    element('pin-name').addEventListener('input', () => form.render());
  });
}

/** Rows of several pins at one place → [{owner, rows}] */
export function placesOf(rows) {
  const pins = rows.filter(({ type }) => type === 'TLSA');
  const places = Map.groupBy(pins, ({ name }) => name.trim().toLowerCase());
  return [...places].filter(([, list]) => list.length > 1)
    .map(([owner, list]) => ({ owner, rows: list }));
}

/** How far a change of certificate has come. oldUntilMs: so long may replaced pins be believed. */
export function stepOf({ rows, isPublished, publishedMs, oldUntilMs, nowMs }) {
  if (!rows.every(isPublished)) return { step: 'publish' };
  const ttlS = Math.max(...rows.map(({ ttl }) => Number(ttl) || 0));
  const knownMs = Math.max(publishedMs + rememberedMs(ttlS), oldUntilMs);
  return nowMs < knownMs ? { step: 'wait', knownMs } : { step: 'drop', knownMs };
}

/** remove(row): the person drops a pin. */
export function renderRoll({ rows, isPublished, publishedMs, oldUntilMs, remove }) {
  const places = placesOf(rows);
  find('roll').hidden = places.length === 0;
  find('roll-places').replaceChildren(...places.map(({ owner, rows: pins }) => {
    const { step, knownMs } =
      stepOf({ rows: pins, isPublished, publishedMs, oldUntilMs, nowMs: Date.now() });
    return make('div', { 'class': 'place', 'data-step': step },
      make('p', {}, translate(`editor_roll_${step}`, step === 'wait' ? timeText(knownMs) : '')),
      make('ul', {}, pins.map((row) => make('li', {},
        make('span', {}, `${owner} TLSA ${row.values.hash?.slice(0, 16) ?? ''}…`),
        isPublished(row) ? null
          : make('span', { class: 'badge', 'data-state': 'idle' }, translate('editor_roll_new')),
        step === 'drop' ? make('button', { class: 'small', type: 'button',
          onclick: () => remove(row) }, translate('editor_roll_remove_button')) : null))));
  }));
}
