// SPDX-License-Identifier: Apache-2.0
// The records as a zone file, beside the table. Text that cannot be read is nobody's records: it
// stays in sight until it is mended or discarded.
import { find } from '../ui/element.js';
import { translate } from '../ui/text.js';

export class ZoneView {
  #zoneOf;
  #read;
  #onRead;
  #onChange;
  // What was typed and cannot be read, null where there is nothing of that kind.
  text = null;

  /**
   * zoneOf(): the rows as a zone file; read(text) → {records} or a Failure; onRead(records): they
   * were typed here; onChange(): the text was changed.
   */
  constructor({ zoneOf, read, onRead, onChange }) {
    this.#zoneOf = zoneOf;
    this.#read = read;
    this.#onRead = onRead;
    this.#onChange = onChange;
    find('zone').addEventListener('input', () => this.#take(find('zone').value));
    this.#listenToTabs();
  }

  /** The rows are others now: shows them, or the text that was kept with them. */
  show(text = null) {
    this.text = text;
    if (text !== null) this.#open(true);
    else if (!find('zone-view').hidden) this.#refresh();
  }

  #refresh() {
    find('zone').value = this.text ?? this.#zoneOf();
    this.#judge(find('zone').value);
  }

  #judge(text) {
    const read = this.#read(text);
    find('zone-fault').textContent = read.error === undefined ? ''
      : translate('editor_zone_fault', read.detail);
    find('zone').setAttribute('aria-invalid', String(read.error !== undefined));
    return read;
  }

  #take(text) {
    const { records, error } = this.#judge(text);
    this.text = error === undefined ? null : text;
    if (error === undefined) this.#onRead(records);
    this.#onChange();
  }

  #open(isZone) {
    for (const [id, chosen] of [['table-tab', !isZone], ['zone-tab', isZone]]) {
      find(id).setAttribute('aria-selected', String(chosen));
      find(id).tabIndex = chosen ? 0 : -1;
    }
    find('table-view').hidden = isZone;
    find('zone-view').hidden = !isZone;
    if (isZone) this.#refresh();
  }

  /** True when it is open then. */
  #select(isZone) {
    if (!isZone && this.text !== null) {
      // The table has no place for it.
      find('zone-fault').textContent =
        `${translate('editor_zone_fault', this.#read(this.text).detail)} ${
          translate('editor_zone_stay')}`;
      find('zone').focus();
      return false;
    }
    this.#open(isZone);
    return true;
  }

  #listenToTabs() {
    const [table, zone] = [find('table-tab'), find('zone-tab')];
    table.addEventListener('click', () => this.#select(false));
    zone.addEventListener('click', () => this.#select(true));
    for (const tab of [table, zone]) {
      tab.addEventListener('keydown', ({ key }) => {
        if (!['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(key)) return;
        const toTable = key === 'Home' || (key !== 'End' && tab === zone);
        if (this.#select(!toTable)) (toTable ? table : zone).focus();
      });
    }
  }
}
