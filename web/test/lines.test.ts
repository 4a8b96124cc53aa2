// Headings name the lines that a matrix draws, and why other lines are missing.
import { expect, test } from 'vitest';
import type { MatrixResult, Range } from '../src/generated/live';
import { describeLines } from '../src/panes/drawn';
import { covered } from '../src/view/tokens';

const range = (first: number, last: number, column = 5): Range => ({
  start: { line: first, character: 0 },
  end: { line: last, character: column },
});

const drawn = (ranges: (Range | null)[], definition: Range | null, chunks: number, whole = range(0, 9)) => {
  const answer = { chunk: 2, chunks, range: whole, definition } as MatrixResult;
  return { matrix: { labels: [], weights: new Float32Array(), max: 0 }, ranges, answer };
};

test('a definition that the model reads at once has the lines of its words', () => {
  const words = [null, range(4, 4), range(5, 5), range(7, 7), null];
  expect(describeLines(drawn(words, range(4, 8, 0), 3), 'definition', 512)).toBe('Lines 5–8');
  expect(describeLines(drawn([range(4, 4)], range(4, 4), 1), 'definition', 512)).toBe('Line 5');
});

test('a definition that is longer than a window has the lines that are drawn, and the reason', () => {
  const words = [range(1800, 1800), range(1834, 1834)];
  expect(describeLines(drawn(words, range(1719, 2633, 0), 40), 'definition', 512)).toBe(
    'Lines 1801–1835 of the definition on lines 1720–2633: the model reads at most 512 subwords at once (chunk 2 of 0–39)',
  );
});

test('a chunk of a longer text says so, and a whole text needs no reason', () => {
  const words = [range(10, 10), range(19, 19)];
  expect(describeLines(drawn(words, null, 4), 'chunk', 48)).toBe(
    'Lines 11–20 of the text: the model reads at most 48 subwords at once (chunk 2 of 0–3)',
  );
  expect(describeLines(drawn(words, range(10, 12), 1), 'chunk', 48)).toBe('Lines 11–20');
});

test('without words that have a place, the lines are those of the chunk', () => {
  expect(covered([null, null])).toBeNull();
  expect(describeLines(drawn([null], null, 1, range(2, 3)), 'chunk', null)).toBe('Lines 3–4');
});
