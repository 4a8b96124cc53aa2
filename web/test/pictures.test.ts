import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LUT } from '../src/draw/colormap';
import { diverging } from '../src/draw/diverging';
import type { Matrix } from '../src/draw/matrix';
import { arcsFigure, mapsFigure, matrixFigure, picture, type Table, tableFigure } from '../src/draw/pictures';
import { colorMatrix } from '../src/draw/scaling';
import { cellPaths, escaped } from '../src/draw/svg';
import { toJson } from '../src/export/json';

const style = { foreground: '#111111', muted: '#555555', accent: '#0067a3', background: '#ffffff', fontFamily: 'mono' };
const hostile: Matrix = {
  labels: ['</text><script>alert(1)</script>', '"&\u0000\ud800'],
  weights: Float32Array.from([1, 0, 0.25, 0.75]),
  max: 1,
};

const table: Table = {
  caption: '<i>',
  word: 'word',
  columns: [{ heading: 'lift', kind: 'number' }],
  rows: [{ text: '</text><script>', cells: ['2.5×'], length: 0.5 }],
};

describe('a picture', () => {
  test('holds every word as text', () => {
    const figures = [
      matrixFigure(hostile, 'A: <i>', style),
      matrixFigure(hostile, '', style, colorMatrix(hostile, { scale: diverging(true), isSigned: true })),
      tableFigure(table, style),
      arcsFigure(hostile, style),
    ];
    const svg = picture('<b>', '"&', figures, style);
    expect(svg).not.toMatch(/<(script|b|i)\b/);
    expect(svg).toContain('&lt;/text&gt;&lt;script');
    expect(svg).toContain('aria-label="&lt;b&gt;. &quot;&amp;"');
    expect(escaped('\u0000a\ud800\t👩')).toBe('\ufffda\ufffd\t👩');
  });

  test('is well-formed: what opens closes', () => {
    const maps = { layers: 2, heads: 2, size: 2, cells: new Uint8Array(16) };
    const svg = picture('t', 's', [mapsFigure(maps, style), matrixFigure(hostile, 'c', style)], style);
    const open: string[] = [];
    for (const [, close, name = '', empty] of svg.matchAll(/<(\/?)(\w+)(?:\s[^<>]*?)?(\/?)>/g)) {
      if (close) expect(open.pop()).toBe(name);
      else if (!empty) open.push(name);
    }
    expect(open).toEqual([]);
  });

  test('of all maps has the words of the page', () => {
    const maps = { layers: 2, heads: 2, size: 2, cells: new Uint8Array(16) };
    const svg = picture('t', 's', [mapsFigure(maps, style)], style);
    const page = readFileSync(new URL('../index.html', import.meta.url), 'utf8');
    for (const words of ['the map’s greatest weight', 'layer \\ head']) expect(svg).toContain(`>${words}<`);
    expect(page).toContain('>the map’s greatest weight<');
    // The maps begin below the numbers of the heads.
    expect(svg).toMatch(/<g transform="translate\([\d.]+ 24\) scale/);
  });

  test('draws each cell once', () => {
    const n = 5;
    const shades = Array.from({ length: n * n }, (_, at) => (at * at) % 3);
    const paths = cellPaths(n, (at) => shades[at] ?? 0, LUT);
    const drawn = new Map<number, number>();
    for (const [, color, d = ''] of paths.matchAll(/<path fill="(#\w+)" d="([^"]*)"/g)) {
      for (const [, x, y, width] of d.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
        for (let cell = 0; cell < Number(width); cell++) {
          const at = Number(y) * n + Number(x) + cell;
          expect(drawn.has(at)).toBe(false);
          drawn.set(at, Number.parseInt(color?.slice(1) ?? '', 16));
        }
      }
    }
    expect(drawn.size).toBe(n * n);
    const colorOf = (at: number) => ((LUT[4 * at] ?? 0) << 16) | ((LUT[4 * at + 1] ?? 0) << 8) | (LUT[4 * at + 2] ?? 0);
    for (const [at, color] of drawn) expect(color).toBe(colorOf(shades[at] ?? 0));
  });
});

test('JSON has every word in the order of the text, and matrices by rows', () => {
  const view = {
    model: 'm',
    revision: null,
    method: 'received',
    layers: [5],
    heads: 'mean',
    sinks: 'drop',
    aggregate: 'sum',
  } as const;
  const common = { version: 1, view: { ...view, layers: [5] }, sinkShare: 0.25 };
  const heat = {
    type: 'heat',
    levels: 5,
    encoding: 'utf-16',
    complete: true,
    chunks: { done: 1, all: 1, cached: 0 },
    unscored: [],
    data: [0, 1, 2, 5, 3000, 1, 0, 1, 2, 500],
    analysisMs: 1,
    ...common,
  } as const;
  const range = { start: { line: 0, character: 0 }, end: { line: 1, character: 1 } };
  const answer = {
    ...common,
    chunk: 0,
    chunks: 1,
    range,
    definition: null,
    unit: 'lexeme',
    tokens: [],
    weights: '',
    max: 1,
  } as const;
  const lexeme = (line: number, text: string, level: number) => ({
    range: { start: { line, character: 0 }, end: { line, character: text.length } },
    text,
    level,
    share: 0.5,
    lift: 1,
    rank: 1,
  });
  const maps = { layers: 1, heads: 1, size: 1, cells: Uint8Array.from([200]) };
  const shown = {
    text: 'ü👩b\nc',
    language: 'text',
    heat: { ...heat, unscored: [], data: [...heat.data] },
    minLevel: 2,
    scaling: 'log' as const,
    drawn: { matrix: hostile, ranges: [range, null], answer: { ...answer, tokens: [] } },
    compared: null,
    maps,
    word: null,
    summary: null,
  };
  const value = JSON.parse(toJson(shown, [lexeme(1, 'c', 5), lexeme(0, 'ü', 0)]));
  expect(value.words).toEqual([lexeme(0, 'ü', 0), lexeme(1, 'c', 5)]);
  expect(value).toMatchObject({
    format: 'codegaze-page/1',
    minLevel: 2,
    maps: { cells: 'yA==' },
    view: { method: 'received' },
  });
  expect(value.matrix.scaling).toBe('log');
  expect(value.matrix.weights).toEqual([
    [1, 0],
    [0.25, 0.75],
  ]);
  expect(value.matrix.ranges).toEqual([range, null]);
});
