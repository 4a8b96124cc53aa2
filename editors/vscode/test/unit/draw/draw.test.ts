import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesOf, floatsOf } from '../../../../../web/src/draw/bytes';
import { CIVIDIS, cividis, LUT, placeOnScale } from '../../../../../web/src/draw/colormap';
import { hitTest, layOut, moved, scrollFor } from '../../../../../web/src/draw/layout';
import { crop, type Matrix, percent, strongest, weightOf } from '../../../../../web/src/draw/matrix';
import { tilePixels } from '../../../../../web/src/draw/thumbnails';

const root = join(__dirname, '../../../../..');

describe('cividis', () => {
  test('is the program’s own', () => {
    const tables = readFileSync(join(root, 'crates/codegaze-view/src/colormap/tables.rs'), 'utf8');
    const table = /CIVIDIS: Anchors = \[([^\]]*)\]/.exec(tables)?.[1] ?? '';
    const samples = [...table.matchAll(/0x([0-9A-F_]+)/g)].map(([, hex = '']) =>
      Number.parseInt(hex.replace('_', ''), 16),
    );
    expect(samples).toHaveLength(52);
    expect(CIVIDIS).toEqual(samples);
  });

  test('is mixed between samples and clamped outside', () => {
    expect(cividis(0)).toEqual([0x00, 0x22, 0x4e]);
    expect(cividis(1)).toEqual([0xfe, 0xe8, 0x38]);
    expect(cividis(7)).toEqual(cividis(1));
    expect(cividis(Number.NaN)).toEqual(cividis(0));
    // Halfway between 0x00224E and 0x002656.
    expect(cividis(0.5 / 51)).toEqual([0x00, 0x24, 0x52]);
    expect([...LUT.slice(4 * 255)]).toEqual([0xfe, 0xe8, 0x38, 255]);
  });
});

describe('numbers', () => {
  test('come out of base64, little-endian', () => {
    const bytes = Buffer.alloc(12);
    for (const [at, value] of [0.25, 1, -3.5].entries()) bytes.writeFloatLE(value, 4 * at);
    expect([...floatsOf(bytes.toString('base64'))]).toEqual([0.25, 1, -3.5]);
    expect([...bytesOf('AP8=')]).toEqual([0, 255]);
    expect(() => floatsOf('AP8=')).toThrow(RangeError);
  });

  test('are said with the digits that count', () => {
    expect([0, 0.00005, 0.0042, 0.0525, 0.5, 1].map(percent)).toEqual([
      '0.00 %',
      '<0.01 %',
      '0.42 %',
      '5.3 %',
      '50 %',
      '100 %',
    ]);
  });

  test('stand on the scale by their square root', () => {
    expect([0, 0.25, 1, 9].map((weight) => placeOnScale(weight, 1))).toEqual([0, 0.5, 1, 1]);
    expect(placeOnScale(1, 0)).toBe(0);
  });
});

const matrix: Matrix = {
  labels: ['a', 'b', 'c'],
  weights: Float32Array.from([0.5, 0.5, 0, 0.125, 0.25, 0.625, 0, 0, 1]),
  max: 1,
};

describe('a matrix', () => {
  test('is [query, key]', () => expect(weightOf(matrix, { query: 1, key: 2 })).toBe(0.625));

  test('can be cropped; the scale then ends at the part’s greatest weight', () => {
    const part = crop(matrix, 0, 2);
    expect(part.labels).toEqual(['a', 'b']);
    expect([...part.weights]).toEqual([0.5, 0.5, 0.125, 0.25]);
    expect(part.max).toBe(0.5);
  });

  test('names the strongest of a row and of a column, and no word with weight 0', () => {
    expect(strongest(matrix, 'query', 1, 2)).toEqual([
      { index: 2, weight: 0.625 },
      { index: 1, weight: 0.25 },
    ]);
    expect(strongest(matrix, 'key', 0, 9)).toEqual([
      { index: 0, weight: 0.5 },
      { index: 1, weight: 0.125 },
    ]);
  });
});

describe('the layout', () => {
  const size = { width: 500, height: 300 };
  const still = { ...size, scrollLeft: 0, scrollTop: 0 };

  test('fits the width, within bounds', () => {
    const some = layOut(50, size, 92, 1);
    expect(some.margin).toBe(100);
    expect(some.cell).toBe(8);
    expect(some.side).toBe(500);
    expect(some.every).toBe(2);
    // Few words are not blown up, many have a pixel each, long labels take their share at most.
    expect(layOut(3, size, 92, 1).cell).toBe(28);
    expect(layOut(2000, size, 92, 1).cell).toBe(1);
    expect(layOut(50, size, 900, 1).margin).toBe(200);
    expect(layOut(50, size, 92, 2).cell).toBe(16);
    expect(layOut(0, size, 0, 1).side).toBe(8);
  });

  test('knows what lies under the pointer, scrolled or not', () => {
    const layout = layOut(50, size, 92, 2);
    expect(hitTest(layout, still, 100, 116)).toEqual({ kind: 'cell', cell: { query: 1, key: 0 } });
    expect(hitTest(layout, still, 20, 116)).toEqual({ kind: 'query', index: 1 });
    expect(hitTest(layout, still, 132, 20)).toEqual({ kind: 'key', index: 2 });
    expect(hitTest(layout, still, 20, 20)).toBeNull();
    expect(hitTest(layout, { ...still, scrollLeft: 160, scrollTop: 32 }, 100, 116)).toEqual({
      kind: 'cell',
      cell: { query: 3, key: 10 },
    });
    expect(hitTest(layOut(3, size, 92, 1), still, 490, 110)).toBeNull();
  });

  test('scrolls as far as it must', () => {
    const layout = layOut(50, size, 92, 2);
    expect(scrollFor(layout, 3, 0, 500)).toBe(0);
    expect(scrollFor(layout, 49, 0, 500)).toBe(400);
    expect(scrollFor(layout, 2, 400, 500)).toBe(32);
  });

  test('leads the keyboard from cell to cell and not over the edge', () => {
    const from = { query: 1, key: 1 };
    expect(moved(from, 'ArrowRight', 3)).toEqual({ query: 1, key: 2 });
    expect(moved({ query: 1, key: 2 }, 'ArrowRight', 3)).toEqual({ query: 1, key: 2 });
    expect(moved(from, 'ArrowUp', 3)).toEqual({ query: 0, key: 1 });
    expect(moved(from, 'PageDown', 3)).toEqual({ query: 2, key: 1 });
    expect(moved(from, 'End', 3)).toEqual({ query: 1, key: 2 });
    expect(moved(null, 'ArrowDown', 3)).toEqual({ query: 1, key: 0 });
    expect(moved(from, 'x', 3)).toBeNull();
  });
});

test('a thumbnail is cut out of [layer, head, query, key]', () => {
  const cells = Uint8Array.from({ length: 2 * 2 * 4 }, (_, at) => (at >= 8 && at < 12 ? 255 : 0));
  const pixels = tilePixels({ layers: 2, heads: 2, size: 2, cells }, { layer: 1, head: 0 });
  expect([...pixels]).toEqual(Array.from({ length: 4 }, () => [0xfe, 0xe8, 0x38, 255]).flat());
});
