import { describe, expect, test } from 'vitest';
import { arcsOf, columns, curve, stepped, strength, strongestArcs, wordAt } from '../src/draw/arcs';
import { type Scale, SEQUENTIAL, shade } from '../src/draw/colormap';
import { common, divertedShare, pick, subtract } from '../src/draw/difference';
import { diverging, placeOnSigned } from '../src/draw/diverging';
import { chooseLabels, shorten, visible } from '../src/draw/labels';
import { layOut } from '../src/draw/layout';
import { columnSums, type Matrix } from '../src/draw/matrix';
import { clippedEnd, colorMatrix } from '../src/draw/scaling';

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
    const difference = matrix(['a', 'b'], [0.64, -0.64, -0.64, 0.64]);
    expect(colorMatrix(difference, { isSigned: true }).ticks).toEqual(['−64 %', '−16 %', '0', '+16 %', '+64 %']);
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

describe('the colors of a matrix', () => {
  /** A row of `n` words that attends a little to every word. */
  const flat = (n: number, great: readonly (readonly [at: number, weight: number])[]) => {
    const weights = Array.from({ length: n * n }, (_, at) => 0.01 + (0.02 * ((at * 7919) % 97)) / 97);
    for (const [at, weight] of great) weights[at] = weight;
    return matrix(
      Array.from({ length: n }, (_, at) => String(at)),
      weights,
    );
  };
  const five = flat(
    30,
    [1, 100, 200, 300, 400].map((at) => [at, 0.9] as const),
  );
  const spread = (shades: Uint8Array) => {
    const sorted = [...shades].sort((a, b) => a - b);
    return (sorted[Math.floor(0.9 * sorted.length)] ?? 0) - (sorted[Math.floor(0.1 * sorted.length)] ?? 0);
  };

  test('are spread over the scale, although five weights are far greater than the others', () => {
    expect(spread(colorMatrix(five, { scaling: 'full' }).shades)).toBeLessThan(32);
    expect(spread(colorMatrix(five).shades)).toBeGreaterThan(80);
    expect(spread(colorMatrix(five, { scaling: 'log' }).shades)).toBeGreaterThan(20);
  });

  test('end where the legend says', () => {
    const { end, quantile } = clippedEnd(five);
    expect(five.weights.filter((weight) => weight > end).length).toBeLessThanOrEqual(15);
    expect(quantile).toBeCloseTo(1 - 15 / 900);
    const clipped = colorMatrix(five);
    expect(clipped.ticks.at(-1)).toBe('3.0 %');
    expect(clipped.note).toBe('The colors end at 3.0 % (the 98.3 % quantile); the greatest weight is 90 %.');
    expect(colorMatrix(five, { scaling: 'full' })).toMatchObject({
      ticks: ['0.00 %', '5.6 %', '23 %', '51 %', '90 %'],
      note: 'The colors end at the greatest weight.',
    });
    expect(colorMatrix(five, { scaling: 'log' }).ticks).toEqual(['0.09 %', '0.51 %', '2.8 %', '16 %', '90 %']);
  });

  test('keep the range of a head that looks at one place in every row', () => {
    const n = 40;
    const weights = Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 0.96 : 0.001));
    const diagonal = matrix(
      Array.from({ length: n }, (_, at) => String(at)),
      weights,
    );
    expect(clippedEnd(diagonal).end).toBeCloseTo(0.96);
  });

  test('of each row end at the row’s greatest weight', () => {
    const { shades, ticks } = colorMatrix(abc, { scaling: 'rows' });
    expect([0, 1, 2].map((row) => Math.max(...shades.slice(3 * row, 3 * row + 3)))).toEqual([255, 255, 255]);
    expect(ticks.at(-1)).toBe('100 %');
  });

  test('of nothing and of zeros are no numbers that are wrong', () => {
    expect([...colorMatrix(matrix([], [])).shades]).toEqual([]);
    for (const scaling of ['clipped', 'full', 'log', 'rows'] as const) {
      expect([...colorMatrix(matrix(['a', 'b'], [0, 0, 0, 0]), { scaling }).shades]).toEqual([0, 0, 0, 0]);
    }
  });
});

describe('labels', () => {
  const words = 'def insert ( self , key , value ) : node = self . root'.split(' ');

  test('prefer the name that is declared, then identifiers and strong columns', () => {
    const strength = words.map((word) => (word === '(' || word === ',' ? 9 : word === 'node' ? 2 : 1));
    const chosen = chooseLabels(words, strength, 4).map((index) => words[index]);
    expect(chosen).toContain('insert');
    expect(chosen).toContain('node');
    for (const mark of ['(', ',', ')', ':', '=', '.']) expect(chosen).not.toContain(mark);
    expect(chooseLabels([',', '(', ')'], [1, 1, 2], 2)).toEqual([0, 2]);
    expect(chooseLabels(words, strength, 1)).toHaveLength(words.length);
  });

  test('leave room for each other, and leave no room empty', () => {
    const many = Array.from({ length: 200 }, (_, at) => String(at % 7));
    for (const distance of [2, 5, 11]) {
      const chosen = chooseLabels(many, columnSums(matrix(many, new Array(200 * 200).fill(0.1))), distance);
      for (const [at, index] of chosen.slice(1).entries()) {
        expect(index - (chosen[at] ?? 0)).toBeGreaterThanOrEqual(distance);
        expect(index - (chosen[at] ?? 0)).toBeLessThan(2 * distance);
      }
    }
  });

  test('show characters that have no shape or that turn the text around', () => {
    expect(visible('a\u202eb\u200b\0c')).toBe('a⟨U+202E⟩b⟨U+200B⟩⟨U+0000⟩c');
    expect(visible('\t👩\u200d👧\n')).toBe('⇥👩\u200d👧⏎');
    expect(shorten('\u2066xyz')).toBe('⟨U+2066⟩xyz');
  });
});
