// SPDX-License-Identifier: Apache-2.0
// The records of one key: edited as a table or as a zone file, compared with what is published,
// published. What was typed outlives the page.
import { loadCore } from '../core/driver.mjs';
import { isNothingThere } from '../lib/answers.js';
import { differenceOf, isSame } from '../lib/difference.js';
import { linkRows, mergeRows, recordsOf } from '../lib/merge.js';
import { lineOf, rowOf } from '../lib/record-fields.js';
import { webextension } from '../lib/webextension.js';
import { ask, sentenceOf } from '../ui/ask.js';
import { openForm } from '../ui/dialogs.js';
import { find, make } from '../ui/element.js';
import { keyMark } from '../ui/key-mark.js';
import { showBadge } from '../ui/parts.js';
import { onStored, startPage } from '../ui/shell.js';
import { numberText, timeText, translate } from '../ui/text.js';
import { isOpen, renderChanges, renderConflict, renderPublication } from './changes.js';
import { Draft } from './draft.js';
import { askPin, renderRoll } from './pins.js';
import { newRow, RecordTable } from './table.js';
import { ZoneView } from './zone-view.js';

const sizeMax = 1000;  // of a packet's DNS message

class Editor {
  #core;
  #mode;
  #key;
  #table;
  #zone;
  #draft;
  // undefined while it is not known, null for nothing.
  #published = undefined;
  // What the person's changes are made to: {timestampUs, records}, null for nothing, undefined
  // while nobody has seen it.
  #base = undefined;
  #publication = undefined;
  // Whether this page began it: its rows are what is published then.
  #isPublishing = false;
  #progress = null;
  #kept = undefined;

  constructor(core, mode, key) {
    this.#core = core;
    this.#mode = mode;
    this.#key = key;
    this.#table = new RecordTable(find('rows'), { core, key: key.key,
      onChange: () => {
        this.#zone.show();
        this.#onEdit();
      } });
    this.#zone = new ZoneView({ zoneOf: () => this.#zoneText(),
      read: (text) => core.readZone(key.key, text),
      onRead: (records) => this.#onRead(records), onChange: () => this.#onEdit() });
    this.#draft = new Draft(key.key, {
      current: () => ({ rows: this.#table.rows, base: this.#base, text: this.#zone.text,
        isClean: this.#isClean() }),
      onOther: (draft) => this.#onOtherPage(draft) });
  }

  async start() {
    const { publications = {} } = await webextension.storage.local.get('publications');
    const draft = await this.#draft.load();
    this.#publication = publications[this.#key.key];
    this.#show(draft?.rows ?? [], draft?.base, draft?.text);
    this.#listen();
    this.#render();
    find('editor').hidden = false;
    find('bar').hidden = false;
    await this.look();
  }

  // --- What is published ---

  async look() {
    notice();
    find('editor').ariaBusy = 'true';
    const answer = await ask('records.newest', this.#key.key);
    find('editor').ariaBusy = null;
    if (answer.found) this.#learn(answer.found.packet);
    else if (isNothingThere(answer)) this.#learn(null);
    else {
      notice('bad', translate('editor_look_failed'), sentenceOf(answer),
        make('button', { type: 'button', class: 'small', onclick: () => this.look() },
          translate('editor_look_again_button')));
    }
    this.#render();
    this.#showKept();
  }

  async #showKept() {
    const { kept = [] } = await ask('network.status');
    this.#kept = kept.find(({ key }) => key === this.#key.key);
    renderPublication(this.#publication, this.#progress, this.#kept);
  }

  #learn(packet) {
    const found = packet && { timestampUs: packet.timestamp_us, records: packet.records };
    // What was published from here a moment ago may not have got around.
    const ours = this.#ownPublication();
    this.#published = [found, ours].filter(Boolean)
      .sort((a, b) => b.timestampUs - a.timestampUs)[0] ?? null;
    this.#catchUp(this.#published);
  }

  /** Puts what the person changed, if anything, on top of what is published now. */
  #catchUp(published) {
    if (this.#base === undefined && published === null) this.#base = null;
    if (published?.timestampUs === this.#base?.timestampUs) return;
    // Text that cannot be read is caught up with once it can.
    if (this.#zone.text !== null) return;
    const isEdited = !this.#isClean();
    // Nothing is there any more: what is entered is all that is left of it.
    if (published === null && isEdited) return;
    const isNews = this.#base !== undefined;
    this.#merge(published);
    if (!isEdited) return;
    this.#draft.save();
    if (!isNews || this.#isClean()) return;
    notice('warn', translate('editor_changed_meanwhile', timeText(published.timestampUs / 1000)));
  }

  #ownPublication() {
    if (this.#publication?.state !== 'done') return null;
    const { records } = this.#core.readZone(this.#key.key, this.#publication.zone);
    return records && { timestampUs: this.#publication.timestampUs, records };
  }

  #rowsOf(records) {
    return records.map((record) => rowOf(record, this.#key.key));
  }

  /** base: what is entered is changes to that. */
  #standOn(base, rows = this.#table.rows) {
    this.#base = base;
    linkRows(rows, base?.records ?? [], (row) => this.#table.recordOf(row));
  }

  #show(rows, base, text) {
    this.#standOn(base, rows);
    this.#table.show(rows);
    this.#zone.show(text);
  }

  #adopt(known) {
    this.#show(this.#rowsOf(known?.records ?? []), known);
  }

  #merge(theirs) {
    if (this.#zone.text !== null) return;
    this.#show(mergeRows({ base: this.#base?.records ?? [], rows: this.#table.rows,
      theirs: theirs?.records ?? [], recordOf: (row) => this.#table.recordOf(row),
      rowOf: (record) => rowOf(record, this.#key.key) }), theirs);
  }

  // --- What is entered ---

  #zoneText() {
    return this.#table.rows.map(lineOf).join('\n');
  }

  #records() {
    return recordsOf(this.#table.rows, (row) => this.#table.recordOf(row));
  }

  #isClean() {
    return this.#zone.text === null && this.#table.rows.every((row) => this.#table.isGood(row)) &&
      isSame(differenceOf(this.#base?.records ?? [], this.#records()));
  }

  #onEdit() {
    this.#draft.saveSoon();
    this.#render();
  }

  /** The zone file was changed, and can be read. */
  #onRead(records) {
    const rows = this.#rowsOf(records);
    this.#standOn(this.#base, rows);
    this.#table.show(rows);
    if (this.#published !== undefined) this.#catchUp(this.#published);
  }

  #onOtherPage({ rows, base, text }) {
    const old = [...this.#table.rows];
    this.#show(rows.map((row) => {
      const at = old.findIndex((other) => lineOf(other) === lineOf(row));
      return at < 0 ? row : Object.assign(old.splice(at, 1)[0], { origin: row.origin });
    }), base, text);
    const [ours = 0, theirs = 0] = [this.#published?.timestampUs, base?.timestampUs];
    if (ours > theirs) this.#catchUp(this.#published);
    else if (theirs > ours && this.#published !== undefined) this.#published = base;
    this.#render();
  }

  // --- What is shown ---

  #render() {
    const { rows } = this.#table;
    const records = this.#records();
    const faulty = rows.filter((row) => !this.#table.isGood(row)).length;
    const { size = 0, error } = this.#core.readZone(this.#key.key, this.#zoneText());
    const isText = this.#zone.text !== null;
    find('nothing').hidden = rows.length > 0;
    find('heads').hidden = rows.length === 0;
    this.#renderRoom(size);
    const same = renderChanges(records, this.#published, this.#key.key);
    const isTooLarge = size > sizeMax || error === 'record.too_large';
    if (isText) find('changes').hidden = true;
    const may = !isText && faulty === 0 && rows.length > 0 && !same && !isTooLarge &&
      this.#published !== undefined && !isOpen(this.#publication);
    find('publish').disabled = !may;
    find('discard').disabled =
      this.#published === undefined || (same && faulty === 0 && !isText);
    find('state').textContent = this.#stateText({ faulty, same, isTooLarge, rows });
    renderPublication(this.#publication, this.#progress, this.#kept);
    const theirs = this.#theirs();
    renderConflict(this.#publication, theirs, records, this.#key.key);
    this.#renderRoll();
  }

  #stateText({ faulty, same, isTooLarge, rows }) {
    if (isOpen(this.#publication)) {
      return translate(`editor_publication_${this.#publication.state}`);
    }
    if (this.#zone.text !== null) return translate('editor_state_zone');
    if (faulty > 0) return translate('editor_state_faults', numberText(faulty));
    if (isTooLarge) return translate('editor_state_too_large');
    if (rows.length === 0) return translate('editor_state_empty');
    if (this.#published === undefined) return translate('editor_changes_unknown');
    if (same) return translate('editor_state_same');
    return translate(this.#key.locked ? 'editor_state_locked' : 'editor_state_ready');
  }

  #renderRoom(size) {
    const meter = find('meter');
    const isOver = size > sizeMax;
    Object.assign(meter, { max: sizeMax + 1, high: sizeMax, optimum: 0,
      value: Math.min(size, sizeMax + 1) });
    const text = translate(isOver ? 'editor_room_over' : 'editor_room',
      numberText(size), numberText(sizeMax));
    meter.setAttribute('aria-valuetext', text);
    find('room').textContent = text;
    find('room').className = isOver ? 'over' : '';
  }

  #renderRoll() {
    const published = this.#published?.records ?? [];
    const texts = new Set(published.map(({ name, data }) => `${name} ${data}`));
    renderRoll({ rows: this.#zone.text === null ? this.#table.rows : [],
      isPublished: (row) => {
        const record = this.#table.recordOf(row);
        return record !== null && texts.has(`${record.name} ${record.data}`);
      },
      publishedMs: (this.#published?.timestampUs ?? 0) / 1000,
      oldUntilMs: this.#publication?.oldUntilMs ?? 0,
      remove: (row) => this.#table.remove(row) });
  }

  #theirs() {
    const { theirs } = this.#publication ?? {};
    return theirs ? { timestampUs: theirs.packet.timestamp_us, records: theirs.packet.records }
      : null;
  }

  renderKey() {
    find('mark').replaceChildren(keyMark(this.#key.key, 52));
    find('name').textContent = this.#key.name;
    find('key').textContent = this.#key.key;
    find('open').href = `https://${this.#key.key}.key/`;
    find('lock').hidden = this.#key.custody === 'host' && !this.#key.locked;
    showBadge(find('lock'), this.#key.locked ? 'locked' : 'unlocked',
      translate(this.#key.locked ? 'keys_state_locked' : 'keys_state_unlocked'));
    document.title = translate('editor_title_of', this.#key.name);
  }

  // --- What is done ---

  async #publish() {
    if (!this.#key.locked) {
      const fault = await this.#begin();
      if (fault !== null) notice('bad', fault);
      else find('publication').focus();
      return;
    }
    const dialog = openForm('form-unlock', async ({ passphrase }) => {
      if (this.#key.custody === 'host') return this.#begin(passphrase);
      const unlocked = await ask('keys.unlock', { name: this.#key.name, passphrase });
      return unlocked.error === undefined ? this.#begin() : sentenceOf(unlocked);
    });
    dialog.addEventListener('close', () => {
      if (isOpen(this.#publication)) find('publication').focus();
    }, { once: true });
  }

  async #begin(passphrase) {
    const { custody, name, key } = this.#key;
    await this.#draft.save();
    this.#isPublishing = true;
    const begun = await ask('publish.start', { custody, name, key, zone: this.#zoneText(),
      baseUs: this.#base?.timestampUs ?? null, oldTtlS: this.#pinTtl(), passphrase });
    if (begun.error !== undefined) {
      this.#isPublishing = false;
      return sentenceOf(begun);
    }
    await this.onStored();
    return null;
  }

  /** The longest TTL of the published pins, in seconds. */
  #pinTtl() {
    const pins = (this.#published?.records ?? []).filter(({ type }) => type === 'TLSA');
    return Math.max(0, ...pins.map(({ ttl }) => ttl));
  }

  async #settle(change) {
    const theirs = this.#theirs();
    this.#published = theirs;
    change(theirs);
    await ask('publish.forget', this.#key.key);
    await this.#draft.save();
    await this.onStored();
    find('publish').focus();
  }

  async onStored() {
    const { publications = {} } = await webextension.storage.local.get('publications');
    const { progress } = await webextension.storage.session.get('progress').catch(() => ({}));
    const before = this.#publication;
    this.#publication = publications[this.#key.key];
    this.#progress = progress?.key === this.#key.key ? progress : null;
    const { state, endedMs } = this.#publication ?? {};
    if (state === 'done' && endedMs !== before?.endedMs) {
      this.#published = this.#ownPublication();
      if (this.#isPublishing) this.#standOn(this.#published);
      else this.#catchUp(this.#published);
      await this.#draft.save();
      this.#showKept();
    }
    if (!isOpen(this.#publication)) this.#isPublishing = false;
    this.#render();
    // Where the publication was watched stands nothing any more.
    if (isOpen(before) && this.#publication?.state === 'conflict') find('conflict').focus();
  }

  async onKeys() {
    const keys = await ask('keys.list');
    const key = Array.isArray(keys) ? keys.find((one) => one.key === this.#key.key) : null;
    if (!key) return;
    this.#key = key;
    this.renderKey();
    this.#render();
  }

  #listen() {
    const onClick = (id, listener) => find(id).addEventListener('click', listener);
    onClick('add', () => this.#table.add(newRow()));
    onClick('pin', () => askPin({ core: this.#core, key: this.#key.key, mode: this.#mode,
      add: (row) => this.#table.add(row, false) }));
    onClick('publish', () => this.#publish());
    onClick('discard', () => {
      this.#adopt(this.#published);
      this.#draft.save();
      this.#render();
    });
    onClick('merge', () => this.#settle((theirs) => this.#merge(theirs)));
    onClick('keep-mine', () => this.#settle((theirs) => this.#standOn(theirs)));
    onClick('take-theirs', () => this.#settle((theirs) => this.#adopt(theirs)));
    for (const button of document.querySelectorAll('[data-suggest]')) {
      button.addEventListener('click', () => this.#table.add(newRow(button.dataset.suggest)));
    }
  }
}

function notice(kind, text, more, action) {
  find('notice').replaceChildren(...(text === undefined ? []
    : [make('div', { 'class': 'note', 'data-kind': kind },
      make('div', {}, make('p', {}, text), more ? make('p', { class: 'small' }, more) : null),
      action)]));
}

async function start() {
  const wanted = new URLSearchParams(location.search).get('key') ?? '';
  const [mode, core, keys] = await Promise.all([startPage('keys'),
    loadCore(fetch('/core/dotkey-core.wasm')), ask('keys.list')]);
  const key = Array.isArray(keys) ? keys.find((one) => one.key === wanted) : undefined;
  document.querySelector('main').removeAttribute('aria-busy');
  if (key === undefined) {
    notice('bad', Array.isArray(keys) ? translate('editor_no_key', wanted) : sentenceOf(keys));
    return;
  }
  const editor = new Editor(core, mode, key);
  editor.renderKey();
  onStored(['publications', 'progress'], () => editor.onStored());
  onStored(['keys', 'seeds'], () => editor.onKeys());
  await editor.start();
}

await start();
