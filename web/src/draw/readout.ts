// What is pointed at, in words, and the strongest words of its row and column. Everything is written as text.
import { type Cell, type Matrix, percent, strongest, weightOf } from './matrix';

const STRONGEST = 6;

export interface ReadoutParts {
  sentence: HTMLElement;
  lists: HTMLElement;
  /** Read out by screen readers. */
  live: HTMLElement;
}

/** Says where a word is, seen from the one that is pointed at. */
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
    const button = make('button', matrix.labels[index] ?? '', 'word');
    button.addEventListener('click', () => onChoose(index));
    item.append(make('span', percent(weight), 'weight'), button, make('span', placeOf(index, at), 'muted'));
    list.append(item);
  }
  box.append(make('h2', heading), list);
  return box;
}

/**
 * Tells of `cell`; of a word alone where its row and column are the same. `isSaid`: to screen readers, too.
 * `onChoose` goes to a word of the lists; `placeOf` stands behind each.
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
    sentence.replaceChildren(make('span', 'Point at something, or walk with the arrow keys.', 'muted'));
    lists.replaceChildren();
    return;
  }
  const { query, key } = cell;
  const label = (index: number) => matrix.labels[index] ?? '';
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
