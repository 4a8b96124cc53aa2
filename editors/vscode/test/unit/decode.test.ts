import { describe, expect, test } from 'vitest';
import { byLevel, decode, dim } from '../../../../web/src/view/heat';

describe('packed heat', () => {
  test('is relative to the lexeme before, and to the line', () => {
    // `def f` on line 3, `(` right behind on it, `x` on line 5
    expect(decode([3, 0, 3, 5, 3100, 0, 4, 1, 2, 1200, 2, 8, 1, 1, 900])).toEqual([
      { line: 3, start: 0, end: 3, level: 5 },
      { line: 3, start: 4, end: 5, level: 2 },
      { line: 5, start: 8, end: 9, level: 1 },
    ]);
    expect(decode([])).toEqual([]);
  });

  test('that is cut or has levels of another scale is refused', () => {
    expect(() => decode([0, 0, 1])).toThrow(/3 integers/);
    expect(() => decode([0, 0, 1, 6, 0])).toThrow(/level 6/);
    expect(() => decode([0, 0, 1, 0, 0])).toThrow(/level 0/);
  });

  test('is sorted by level, from the lowest that is shown', () => {
    const lists = byLevel(decode([0, 0, 1, 1, 0, 0, 2, 1, 3, 0, 0, 2, 1, 3, 0]), 2);
    expect(lists[1]).toEqual([]);
    expect(lists[3]).toEqual([
      { line: 0, start: 2, end: 3 },
      { line: 0, start: 4, end: 5 },
    ]);
  });
});

describe('the spotlight', () => {
  const lines = ['cold hot cold', '', 'warm', 'unknown'];
  const spans = decode([0, 5, 3, 5, 0, 2, 0, 4, 2, 0]);
  const dimmed = (minLevel: number) =>
    dim(
      spans,
      minLevel,
      { first: 0, last: 3 },
      (line) => lines[line]?.length ?? 0,
      (line) => line < 3,
    );

  test('dims all that is not hot, and leaves alone what was not scored', () => {
    expect(dimmed(1)).toEqual({
      half: [{ line: 2, start: 0, end: 4 }],
      far: [
        { line: 0, start: 0, end: 5 },
        { line: 0, start: 8, end: 13 },
      ],
    });
  });

  test('counts levels below the least shown one as none', () => {
    expect(dimmed(3).half).toEqual([]);
    expect(dimmed(3).far).toContainEqual({ line: 2, start: 0, end: 4 });
  });

  test('begins in the middle of a document', () => {
    const part = dim(
      spans,
      1,
      { first: 2, last: 2 },
      () => 6,
      () => true,
    );
    expect(part).toEqual({ half: [{ line: 2, start: 0, end: 4 }], far: [{ line: 2, start: 4, end: 6 }] });
  });
});
