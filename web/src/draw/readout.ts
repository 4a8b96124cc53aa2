// The cell at the pointer in words, and the strongest words of its row and column. This module sets text only as text.
import type { Pointed } from './arcs';
import { visible } from './labels';
import { type Cell, type Matrix, percent, strongest, weightOf } from './matrix';

const STRONGEST = 6;

export interface ReadoutParts {
  sentence: HTMLElement;
  lists: HTMLElement;
  /** Screen readers announce it. */
  live: HTMLElement;
}

/** Describes the place of a word relative to the word at the pointer. */
export type PlaceOf = (index: number, pointedAt: number) => string;

const make = (tag: string, text: string, className = '') => {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
};

function listOf(
  matrix: Matrix,
  heading: string,
  axis: 'query' | 'key',
  at: number,
  onChoose: (index: number) => void,
  placeOf: PlaceOf,
): HTMLElement {
  const box = document.createElement('div');
  const list = document.createElement('ol');
  for (const { index, weight } of strongest(matrix, axis, at, STRONGEST)) {
    const item = document.createElement('li');
    const button = make('button', visible(matrix.labels[index] ?? ''), 'word');
    button.title = 'Go to this word';
    button.addEventListener('click', () => onChoose(index));
    item.append(make('span', percent(weight), 'weight'), button, make('span', placeOf(index, at), 'muted'));
    list.append(item);
  }
  box.append(make('h2', heading), list);
  return box;
}

/**
 * Describes `cell`; if its row and column are the same, describes the word. `isSaid`: screen readers announce it.
 * `onChoose` goes to a word of the lists; `placeOf` is written behind each word.
 */
export function readOut(
  { sentence, lists, live }: ReadoutParts,
  matrix: Matrix,
  cell: Cell | null,
  isSaid: boolean,
  onChoose: (index: number) => void,
  placeOf: PlaceOf = () => '',
): void {
  if (!cell) {
    sentence.replaceChildren(make('span', 'Point at a cell or a word, or move with the arrow keys.', 'muted'));
    lists.replaceChildren();
    return;
  }
  const { query, key } = cell;
  const label = (index: number) => visible(matrix.labels[index] ?? '');
  const weight = percent(weightOf(matrix, cell));
  if (query === key) {
    sentence.replaceChildren(make('b', label(query)), ` gives ${weight} of its attention to itself`);
    if (isSaid) live.textContent = `${label(query)} attends to itself: ${weight}`;
  } else {
    sentence.replaceChildren(
      make('b', label(query)),
      ' gives ',
      make('b', weight),
      ' of its attention to ',
      make('b', label(key)),
    );
    if (isSaid) live.textContent = `${label(query)} attends to ${label(key)}: ${weight}`;
  }
  lists.replaceChildren(
    listOf(matrix, `“${label(query)}” attends to`, 'query', query, onChoose, placeOf),
    listOf(matrix, `“${label(key)}” is attended by`, 'key', key, onChoose, placeOf),
  );
}

/** A word with the strongest of the words that it attends to, or that attend to it. */
export function describeWord(matrix: Matrix, { side, index }: Pointed, count: number): string {
  const label = (at: number) => visible(matrix.labels[at] ?? '');
  const others = strongest(matrix, side, index, count).map((other) => `${label(other.index)} ${percent(other.weight)}`);
  const verb = side === 'query' ? 'attends to' : 'is attended by';
  return `${label(index)} ${verb} ${others.join(', ') || 'nothing'}`;
}
