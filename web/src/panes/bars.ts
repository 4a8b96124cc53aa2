// Tables of words. Each row has numbers and a bar.
import { make } from '../app/dom';
import type { Table } from '../draw/pictures';
import type { Range } from '../generated/live';

/** A row, and the place in the source to which a click leads. */
export type Bar = Table['rows'][number] & { range: Range };

export interface BarTable extends Table {
  rows: readonly Bar[];
}

type Column = Table['columns'][number];

export const number = (heading: string): Column => ({ heading, kind: 'number' });

export function bars({ caption, word, columns, rows }: BarTable, onGo: (range: Range) => void): HTMLTableElement {
  const table = make('table', '', 'bars');
  const headings = [headingOf(word, 'name'), ...columns.map(({ heading, kind }) => headingOf(heading, kind))];
  const end = make('td', '', 'bar');
  end.setAttribute('aria-hidden', 'true');
  const body = rows.map(({ text, range, cells, length }) => {
    const button = make('button', text, 'word');
    button.type = 'button';
    button.title = `Go to ${text}`;
    button.addEventListener('click', () => onGo(range));
    const bar = make('div');
    bar.style.width = `${Math.max(1, 100 * length)}%`;
    const drawn = make('td', [bar], 'bar');
    drawn.setAttribute('aria-hidden', 'true');
    const between = cells.map((cell, at) => make('td', cell, columns[at]?.kind ?? 'text'));
    return make('tr', [make('td', [button], 'name'), ...between, drawn]);
  });
  table.append(make('caption', caption), make('thead', [make('tr', [...headings, end])]), make('tbody', body));
  return table;
}

function headingOf(text: string, className: string): HTMLElement {
  const heading = make('th', text, className);
  heading.scope = 'col';
  return heading;
}

/** Numbers with their names. */
export type Facts = readonly (readonly [name: string, value: string])[];

/** As one line. */
export const inWords = (entries: Facts): string => entries.map((fact) => fact.join(' ')).join(' · ');

export function facts(entries: Facts): HTMLElement {
  return make(
    'dl',
    entries.map(([name, value]) => make('div', [make('dt', name), make('dd', value)])),
    'facts',
  );
}
