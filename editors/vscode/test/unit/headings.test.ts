import { expect, test } from 'vitest';
import { matrixData } from '../../src/panel/exportMatrix';
import { drawn, heading, whyCut } from '../../src/panel/headings';
import type { MatrixResult } from '../../src/protocol';

const at = (line: number, character: number) => ({ line, character });
const token = (label: string, line: number, start: number) => ({
  label,
  score: 0.5,
  range: { start: at(line, start), end: at(line, start + label.length) },
});

/** A chunk of lines 1721–1755 of a class of lines 1720–2633. */
const weights = Buffer.alloc(9 * 4);
Array.from({ length: 9 }, (_, cell) => weights.writeFloatLE(cell / 16, 4 * cell));
const long: MatrixResult = {
  uri: 'file:///a.py',
  version: 1,
  view: {
    model: 'codegaze-mini',
    revision: null,
    method: 'received',
    layers: [2],
    heads: [1],
    sinks: 'drop',
    aggregate: 'sum',
  },
  chunk: 3,
  chunks: 9,
  range: { start: at(1720, 0), end: at(1755, 0) },
  definition: { start: at(1719, 0), end: at(2632, 5) },
  unit: 'lexeme',
  tokens: [token('a', 1720, 4), token('b', 1722, 8), token('c', 1754, 0)],
  weights: weights.toString('base64'),
  max: 0.5,
  sinkShare: 0.4,
};

test('a heading names the lines that are drawn, and why not all', () => {
  const words = drawn(long, 'definition');
  expect(heading('a.py', words)).toBe('a.py, lines 1721–1755 of 1720–2633');
  expect(whyCut(words, long.chunk, long.chunks)).toMatch(/longer than the model's window.* chunk 4 of 9/);
});

test('a heading of a whole part has its lines alone', () => {
  const short = { ...long, definition: { start: at(1720, 4), end: at(1722, 9) } };
  const words = drawn(short, 'definition');
  expect(heading('a.py', words)).toBe('a.py, lines 1721–1723');
  expect(whyCut(words, 0, 9)).toBe('');
  expect(heading('a.py', drawn(long, 'chunk'))).toBe('a.py, lines 1721–1755');
});

test('the line break of the last line is not a line more', () => {
  const lineBreak = { label: '⏎', score: 0, range: { start: at(1722, 9), end: at(1723, 0) } };
  const words = drawn({ ...long, tokens: [token('a', 1720, 4), token('b', 1722, 8), lineBreak] }, 'chunk');
  expect([words.first, words.last]).toEqual([1721, 1723]);
});

test('exported data are the drawn matrix, with lines from 1 and its view', () => {
  const short = { ...long, definition: { start: at(1720, 4), end: at(1722, 9) } };
  const data = matrixData('src/a.py', short, drawn(short, 'definition'));
  expect(data).toMatchObject({
    document: 'src/a.py',
    lines: { first: 1721, last: 1723 },
    chunk: 4,
    view: long.view,
    words: [
      { text: 'a', line: 1721, column: 5 },
      { text: 'b', line: 1723, column: 9 },
    ],
    weights: [
      [0, 1 / 16],
      [3 / 16, 4 / 16],
    ],
  });
});
