// SPDX-License-Identifier: Apache-2.0
// Pieces of page that more than one screen has.
import { translate } from './text.js';

const shapes = {
  verified: 'M2 8.5 6 12.5 14 3.5',
  unverified: 'M5 5.5a3 3 0 1 1 4.2 2.8C8.4 8.7 8 9.2 8 10.2M8 13.4v.2',
  blocked: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  idle: 'M3 8h10',
  locked: 'M4.5 7.5h7v5.5h-7zM6 7.5V5.5a2 2 0 0 1 4 0v2',
  unlocked: 'M4.5 7.5h7v5.5h-7zM6 7.5V5a2 2 0 0 1 3.8-.8',
};

function shapeOf(document, state) {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(namespace, 'path');
  const attributes = { 'd': shapes[state], 'fill': 'none', 'stroke': 'currentColor',
    'stroke-width': /^(un)?locked$/.test(state) ? '1.6' : '2.2',
    'stroke-linecap': 'round', 'stroke-linejoin': 'round' };
  for (const [name, value] of Object.entries(attributes)) path.setAttribute(name, value);
  svg.append(path);
  return svg;
}

export function showBadge(element, state, text) {
  element.dataset.state = state;
  element.replaceChildren(shapeOf(element.ownerDocument, state), text);
}

export function addressText(host, port) {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** rows: [message name, value or values, class]; a row without a value is left out. */
export function fillFacts(list, rows, nameOf = translate) {
  const document = list.ownerDocument;
  list.replaceChildren(...rows.filter(([, value]) => value).flatMap(([name, value, kind]) => {
    const term = document.createElement('dt');
    term.textContent = nameOf(name);
    const data = document.createElement('dd');
    if (kind) data.className = kind;
    for (const line of [value].flat()) {
      const row = document.createElement('div');
      row.textContent = line;
      data.append(row);
    }
    return [term, data];
  }));
}
