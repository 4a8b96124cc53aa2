// Tables of words with a number and a bar each.
import { make } from '../app/dom';
import type { Range } from '../view/view';

export interface Bar {
  /** What is shown, and where a click on it leads. */
  text: string;
  range: Range;
  numbers: readonly string[];
  /** 0 … 1. */
  length: number;
}

export function bars(
  caption: string,
  headings: readonly string[],
  rows: readonly Bar[],
  onGo: (range: Range) => void,
): HTMLTableElement {
  const table = make('table', '', 'bars');
  const head = make(
    'tr',
    headings.map((heading, at) => headingOf(heading, at > 0 && at < headings.length - 1)),
  );
  const body = rows.map(({ text, range, numbers, length }) => {
    const word = make('button', text, 'word');
    word.type = 'button';
    word.addEventListener('click', () => onGo(range));
    const bar = make('div');
    bar.style.width = `${Math.max(1, 100 * length)}%`;
    const cell = make('td', [bar], 'bar');
    cell.setAttribute('aria-hidden', 'true');
    return make('tr', [make('td', [word]), ...numbers.map((number) => make('td', number, 'number')), cell]);
  });
  table.append(make('caption', caption), make('thead', [head]), make('tbody', body));
  return table;
}

function headingOf(text: string, isNumber: boolean): HTMLElement {
  const heading = make('th', text, isNumber ? 'number' : '');
  heading.scope = 'col';
  return heading;
}

export function facts(entries: readonly (readonly [name: string, value: string])[]): HTMLElement {
  return make(
    'dl',
    entries.map(([name, value]) => make('div', [make('dt', name), make('dd', value)])),
    'facts',
  );
}
