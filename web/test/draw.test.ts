import { describe, expect, test } from 'vitest';
import { arcsOf, columns, curve, stepped, strength, strongestArcs, wordAt } from '../src/draw/arcs';
import { type Scale, SEQUENTIAL, shade } from '../src/draw/colormap';
import { common, divertedShare, pick, subtract } from '../src/draw/difference';
import { diverging, placeOnSigned } from '../src/draw/diverging';
import { layOut } from '../src/draw/layout';
import { signedTicks } from '../src/draw/legend';
import type { Matrix } from '../src/draw/matrix';

const matrix = (labels: string[], weights: number[]): Matrix => ({
  labels,
  weights: Float32Array.from(weights),
  max: Math.max(...weights),
});

const abc = matrix(['a', 'b', 'c'], [0.5, 0.5, 0, 0.125, 0.25, 0.625, 0, 0, 1]);

describe('a difference', () => {
  const other = matrix(['a', 'b', 'c'], [0.25, 0.75, 0, 0.125, 0.25, 0.625, 1, 0, 0]);

  test('is B minus A, with the greatest distance from zero', () => {
    const difference = subtract(abc, other);
    expect([...difference.weights]).toEqual([-0.25, 0.25, 0, 0, 0, 0, 1, 0, -1]);
    expect(difference.max).toBe(1);
    expect([0, 1, 2].map((query) => divertedShare(difference, query))).toEqual([0.25, 0, 1]);
    expect(() => subtract(abc, pick(other, [0]))).toThrow(RangeError);
  });

  test('is of the words that both have, in order', () => {
    expect(common(['1', '2', '3'], ['2', '3', '4'])).toEqual({ inA: [1, 2], inB: [0, 1] });
    expect(common(['1', null, '2'], [null, '1', '2'])).toEqual({ inA: [0, 2], inB: [1, 2] });
    // A word that comes twice is matched once each; what is out of order is not matched at all.
    expect(common(['1', '1'], ['1', '1', '1'])).toEqual({ inA: [0, 1], inB: [0, 1] });
    expect(common(['2', '1'], ['1', '2'])).toEqual({ inA: [0], inB: [1] });
    expect(common([], ['1'])).toEqual({ inA: [], inB: [] });
  });

  test('of a part keeps the weights of the whole', () => {
    const part = pick(abc, [0, 2]);
    expect(part).toEqual({ labels: ['a', 'c'], weights: Float32Array.from([0.5, 0, 0, 1]), max: 1 });
  });
});

describe('the diverging scale', () => {
  /** CIE lightness, 0 … 1, of a color in `lut`. */
  const lightness = ({ lut }: Scale, at: number) => {
    const linear = [0, 1, 2].map((channel) => {
      const value = (lut[4 * at + channel] ?? 0) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    const [red = 0, green = 0, blue = 0] = linear;
    return Math.cbrt(0.2126 * red + 0.7152 * green + 0.0722 * blue);
  };
  const rgb = ({ lut }: Scale, at: number) => [...lut.slice(4 * at, 4 * at + 3)];
  /** As somebody without red or green cones sees it (Viénot, Brettel and Mollon 1999), roughly: red and green are one. */
  const dichromat = ([red = 0, green = 0, blue = 0]: number[]) => [(red + green) / 2, blue];

  for (const [name, isDark] of [['light', false] as const, ['dark', true] as const]) {
    test(`has zero in the middle, neutral, on ${name}`, () => {
      const scale = diverging(isDark);
      expect(shade(scale, 0, 1)).toBe(128);
      const [red = 0, green = 0, blue = 0] = rgb(scale, 128);
      expect(red === green && green === blue).toBe(true);
      expect([shade(scale, -1, 1), shade(scale, 1, 1)]).toEqual([1, 255]);
      expect(rgb(scale, 0)).toEqual(rgb(scale, 1));
      expect(shade(scale, 0, 0)).toBe(128);
    });

    test(`leaves the background’s lightness on both sides alike, on ${name}`, () => {
      const scale = diverging(isDark);
      const sign = isDark ? 1 : -1;
      for (let step = 1; step <= 127; step++) {
        for (const side of [-1, 1]) {
          const change = sign * (lightness(scale, 128 + side * step) - lightness(scale, 128 + side * (step - 1)));
          expect(change, `step ${step} to ${side}`).toBeGreaterThan(-0.004);
        }
        expect(Math.abs(lightness(scale, 128 + step) - lightness(scale, 128 - step))).toBeLessThan(0.1);
      }
      expect(Math.abs(lightness(scale, 255) - lightness(scale, 128))).toBeGreaterThan(0.4);
    });

    test(`has ends that are told apart without red and green, on ${name}`, () => {
      const scale = diverging(isDark);
      for (const step of [40, 80]) {
        const [a, b] = [dichromat(rgb(scale, 128 - step)), dichromat(rgb(scale, 128 + step))];
        expect(Math.hypot((a[0] ?? 0) - (b[0] ?? 0), (a[1] ?? 0) - (b[1] ?? 0))).toBeGreaterThan(60);
      }
    });
  }

  test('goes by the square root to both sides', () => {
    expect(placeOnSigned(0.25, 1) - placeOnSigned(0, 1)).toBeCloseTo((0.5 * 127) / 255);
    expect(placeOnSigned(-0.25, 1)).toBeCloseTo(2 * placeOnSigned(0, 1) - placeOnSigned(0.25, 1));
    expect(signedTicks(0.64)).toEqual(['−64 %', '−16 %', '0', '+16 %', '+64 %']);
    expect(shade(SEQUENTIAL, 0.25, 1)).toBe(128);
  });
});

describe('arcs', () => {
  test('are the strongest of each query, the faintest first', () => {
    expect(strongestArcs(abc, 1, 0.01)).toEqual([
      { query: 0, key: 0, weight: 0.5 },
      { query: 1, key: 2, weight: 0.625 },
      { query: 2, key: 2, weight: 1 },
    ]);
    expect(strongestArcs(abc, 9, 0.2).map(({ weight }) => weight)).toEqual([0.25, 0.5, 0.5, 0.625, 1]);
  });

  test('are the ones that sorting each row would find', () => {
    const n = 60;
    const weights = Array.from({ length: n * n }, (_, at) => ((at * 7919) % 997) / 997);
    const labels = Array.from({ length: n }, (_, at) => String(at));
    const found = strongestArcs(matrix(labels, weights), 5, 0.01);
    const sorted = labels.flatMap((_, query) =>
      weights
        .slice(query * n, (query + 1) * n)
        .sort((a, b) => b - a)
        .slice(0, 5),
    );
    const expected = Float32Array.from(sorted.filter((weight) => weight >= 0.01).sort((a, b) => a - b));
    expect(found.map(({ weight }) => weight)).toEqual([...expected]);
  });

  test('of one word are its row or its column', () => {
    expect(arcsOf(abc, { side: 'query', index: 1 }, 0.2).map(({ key }) => key)).toEqual([1, 2]);
    expect(arcsOf(abc, { side: 'key', index: 0 }, 0.1).map(({ query }) => query)).toEqual([1, 0]);
  });

  test('go from the middle of a word to the middle of another', () => {
    const layout = columns(3, 500, 60);
    expect(layout).toEqual({ n: 3, row: 18, left: 78, right: 422, height: 54 });
    expect(curve(layout, { query: 0, key: 2 })).toEqual([78, 9, 250, 9, 250, 45, 422, 45]);
    // Long words leave room for arcs, and so does a narrow window.
    expect(columns(3, 500, 900).left).toBe(183);
    expect(columns(3, 100, 900)).toMatchObject({ left: 43, right: 123 });
    expect([strength(0.25, 1), strength(2, 1), strength(1, 0)]).toEqual([0.5, 1, 0]);
  });

  test('have words at their ends that can be pointed at and walked', () => {
    const layout = columns(3, 500, 60);
    expect(wordAt(layout, 20, 19)).toEqual({ side: 'query', index: 1 });
    expect(wordAt(layout, 450, 53)).toEqual({ side: 'key', index: 2 });
    expect(wordAt(layout, 250, 19)).toBeNull();
    expect(wordAt(layout, 20, 54)).toBeNull();
    expect(stepped(null, 'ArrowDown', 3)).toEqual({ side: 'query', index: 0 });
    expect(stepped({ side: 'query', index: 0 }, 'ArrowDown', 3)).toEqual({ side: 'query', index: 1 });
    expect(stepped({ side: 'key', index: 2 }, 'ArrowDown', 3)).toEqual({ side: 'key', index: 2 });
    expect(stepped({ side: 'query', index: 1 }, 'ArrowRight', 3)).toEqual({ side: 'key', index: 1 });
    expect(stepped({ side: 'key', index: 1 }, 'End', 3)).toEqual({ side: 'key', index: 2 });
    expect(stepped(null, 'x', 3)).toBeNull();
  });
});

test('a matrix that is shown whole fits both ways, however many its words', () => {
  const small = layOut(512, { width: 300, height: 200 }, 90, 1, 'all');
  expect(small.margin).toBe(50);
  expect(small.side).toBeCloseTo(200);
  expect(layOut(512, { width: 300, height: 200 }, 90, 1).side).toBe(98 + 512);
});
