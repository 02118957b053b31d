// SPDX-License-Identifier: Apache-2.0
// The records as rows of fields. What is typed stays as it is typed; faults are said once a field
// was left, and go as soon as they are mended.
import { faultsOf } from '../lib/record-faults.js';
import { editableTypes, fieldsOf, joinData, lineOf, splitData } from '../lib/record-fields.js';
import { make, makeSvg } from '../ui/element.js';
import { translate } from '../ui/text.js';

export const newRow = (type = 'A') => ({ name: '@', ttl: '300', type, values: {} });

/** The sentence about a field. */
function faultText(type, field) {
  return translate(`fault_${type.toLowerCase()}_${field}`) || translate(`fault_${field}`);
}

const cross = () => makeSvg('svg', { 'viewBox': '0 0 16 16', 'aria-hidden': 'true' },
  makeSvg('path', { 'd': 'M3 3l10 10M13 3 3 13', 'stroke': 'currentColor', 'stroke-width': 2.4,
    'stroke-linecap': 'round' }));

export class RecordTable {
  #list;
  #core;
  #key;
  #onChange;
  #elements = new WeakMap();
  rows = [];

  /** onChange(): a row was changed, added or removed by the person. */
  constructor(list, { core, key, onChange }) {
    this.#list = list;
    this.#core = core;
    this.#key = key;
    this.#onChange = onChange;
  }

  /** Rows that were there before stay where they are, and what is typed in keeps the focus. */
  show(rows) {
    this.rows = rows;
    const wanted = rows.map((row) => this.#elements.get(row) ?? this.#element(row));
    for (const old of [...this.#list.children]) if (!wanted.includes(old)) old.remove();
    wanted.forEach((element, at) => {
      const there = this.#list.children[at];
      if (there !== element) this.#list.insertBefore(element, there ?? null);
    });
  }

  add(row, focus = true) {
    this.rows.push(row);
    const element = this.#element(row);
    this.#list.append(element);
    if (focus) element.querySelector('.data input').focus();
    this.#onChange();
  }

  remove(row) {
    const at = this.rows.indexOf(row);
    this.rows.splice(at, 1);
    this.#list.children[at].remove();
    const next = this.#list.children[Math.min(at, this.rows.length - 1)];
    (next?.querySelector('.delete') ?? document.getElementById('add')).focus();
    this.#onChange();
  }

  isGood(row) {
    return faultsOf(this.#core, this.#key, row).length === 0;
  }

  /** null where the row cannot be read. */
  recordOf(row) {
    if (!this.isGood(row)) return null;
    return this.#core.readRecord(this.#key, lineOf(row)).records?.[0] ?? null;
  }

  #field(row, name, value, attributes, set) {
    const input = make('input', { ...attributes, 'data-field': name, value, 'maxlength': 4096,
      'autocomplete': 'off', 'spellcheck': 'false', 'autocapitalize': 'none',
      'aria-label': translate(`field_${name}`) });
    input.addEventListener('input', () => {
      set(input.value);
      this.#judge(row, input.closest('.row'), false);
      this.#onChange();
    });
    input.addEventListener('blur', () => {
      if (input.isConnected) this.#judge(row, input.closest('.row'), true, name);
    });
    return input;
  }

  #dataFields(row) {
    const fields = fieldsOf(row.type);
    return fields.map(({ name, number, example }) => {
      const input = this.#field(row, name, row.values[name] ?? '',
        { placeholder: example, inputmode: number && 'numeric' },
        (value) => { row.values[name] = value; });
      if (fields.length === 1) return input;
      return make('label', { class: number ? 'number' : null }, translate(`field_${name}`), input);
    });
  }

  #typeChoice(row, element) {
    const types = editableTypes.includes(row.type) ? editableTypes : [...editableTypes, row.type];
    const choice = make('select', { 'aria-label': translate('field_type') },
      types.map((type) => make('option', { value: type, selected: type === row.type }, type)));
    choice.addEventListener('change', () => {
      // What was entered stays where the new type has a field for it.
      const isNew = joinData(row.type, row.values).replaceAll('"', '') === '';
      row.values = isNew ? {} : splitData(choice.value, joinData(row.type, row.values));
      row.type = choice.value;
      element().replaceWith(this.#element(row));
      this.#list.children[this.rows.indexOf(row)].querySelector('select').focus();
      this.#onChange();
    });
    return choice;
  }

  #element(row) {
    let element = null;
    element = make('div', { 'class': 'row', 'role': 'group',
      'aria-label': translate('editor_row_label', row.type) },
    this.#field(row, 'name', row.name, {}, (value) => { row.name = value; }),
    this.#field(row, 'ttl', row.ttl, { inputmode: 'numeric' }, (value) => { row.ttl = value; }),
    this.#typeChoice(row, () => element),
    make('div', { class: 'data' }, this.#dataFields(row)),
    make('button', { 'type': 'button', 'class': 'delete',
      'aria-label': translate('editor_delete_label', row.type, row.name),
      'onclick': () => this.remove(row) }, cross()),
    make('p', { class: 'faults', role: 'alert', hidden: true }));
    this.#elements.set(row, element);
    return element;
  }

  /** `says`: whether faults are said that were not said before; about `field` alone. */
  #judge(row, element, says, field) {
    const faults = faultsOf(this.#core, this.#key, row).filter(({ missing }) => !missing);
    for (const input of element.querySelectorAll('[data-field]')) {
      const isFaulty = faults.some((fault) => fault.field === input.dataset.field);
      if (!isFaulty) input.removeAttribute('aria-invalid');
      else if (says && (field === undefined || field === input.dataset.field)) {
        input.setAttribute('aria-invalid', 'true');
      }
    }
    const said = [...element.querySelectorAll('[aria-invalid]')].map((input) =>
      faultText(row.type, input.dataset.field));
    const place = element.querySelector('.faults');
    if (place.textContent !== said.join(' ')) place.textContent = said.join(' ');
    place.hidden = said.length === 0;
  }
}
