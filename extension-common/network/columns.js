// SPDX-License-Identifier: Apache-2.0
// A chart of columns for the eye, and the same numbers as a table for those who have them read out.
import { make, makeSvg } from '../ui/element.js';
import { numberText } from '../ui/text.js';

const [columnWidth, gap, height, top, bottom] = [54, 8, 110, 18, 22];

function column({ label, count }, at, most) {
  const x = at * (columnWidth + gap);
  const size = most === 0 ? 0 : (height * count) / most;
  const middle = x + columnWidth / 2;
  return makeSvg('g', {},
    makeSvg('rect', { class: 'track', x, y: top, width: columnWidth, height, rx: 3 }),
    makeSvg('rect', { class: 'bar-value', x, y: top + height - size, width: columnWidth,
      height: size, rx: 3 }),
    makeSvg('text', { 'class': 'count', 'x': middle, 'y': top - 6, 'text-anchor': 'middle' },
      numberText(count)),
    makeSvg('text', { 'x': middle, 'y': top + height + 16, 'text-anchor': 'middle' }, label));
}

/** columns: [{label, count}]; `head`: what the two stand for. → elements */
export function columnChart(columns, head) {
  const most = Math.max(...columns.map(({ count }) => count));
  const size = { width: columns.length * (columnWidth + gap) - gap, height: top + height + bottom };
  return [
    makeSvg('svg', { 'class': 'columns', 'aria-hidden': 'true', ...size },
      ...columns.map((each, at) => column(each, at, most))),
    make('div', { class: 'visually-hidden' }, make('table', {},
      make('thead', {}, make('tr', {}, head.map((text) => make('th', { scope: 'col' }, text)))),
      make('tbody', {}, columns.map(({ label, count }) => make('tr', {},
        make('th', { scope: 'row' }, label), make('td', {}, numberText(count)))))))];
}
