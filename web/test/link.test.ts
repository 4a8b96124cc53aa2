import { describe, expect, test } from 'vitest';
import { clean, INITIAL, type Settings, supported } from '../src/app/settings';
import { EXAMPLES } from '../src/examples';
import { fromFragment, isLink, LinkError, toFragment } from '../src/share/link';

const settings: Settings = {
  ...INITIAL,
  model: 'microsoft/codebert-base',
  method: 'rollout',
  layers: 3,
  heads: 'max',
  sinks: 'keep',
  aggregate: 'max',
  minLevel: 4,
  scaling: 'log',
  style: 'spotlight',
  unit: 'subword',
  part: 'chunk',
  pane: 'compare',
  other: { model: 'embedded', method: 'cls', layers: 'all', heads: 11, sinks: 'drop', aggregate: 'mean' },
};

describe('a link', () => {
  test('brings back text and settings', async () => {
    for (const text of ['', 'def f():\n\treturn "ünï 👩‍👩‍👧 \u2028 </script>"\n', 'x'.repeat(100_000)]) {
      const fragment = await toFragment({ text, language: 'python', settings });
      expect(fragment).toMatch(/^#s1=[\w-]+$/);
      expect(await fromFragment(fragment)).toEqual({ text, language: 'python', settings });
    }
  });

  test('is a part of the text’s length', async () => {
    const text = EXAMPLES.map((example) => example.text).join('\n');
    const fragment = await toFragment({ text, language: 'text', settings });
    expect(fragment.length).toBeLessThan(0.6 * text.length);
  });

  test('is told from other fragments, such as that of the skip link', async () => {
    expect(isLink(await toFragment({ text: '', language: 'text', settings }))).toBe(true);
    for (const fragment of ['', '#', '#panes', '#s1', '#s2=abc', 's1=abc']) expect(isLink(fragment)).toBe(false);
  });

  test('that is none, or damaged, or too large, is told apart', async () => {
    expect(await fromFragment('')).toBeNull();
    expect(await fromFragment('#panes')).toBeNull();
    const fragment = await toFragment({ text: 'some text', language: 'c', settings });
    await expect(fromFragment(fragment.slice(0, -9))).rejects.toThrow(LinkError);
    await expect(fromFragment(`${fragment}!`)).rejects.toThrow('damaged');
    const bomb = await toFragment({ text: ' '.repeat(5 << 20), language: 'text', settings });
    expect(bomb.length).toBeLessThan(20_000);
    await expect(fromFragment(bomb)).rejects.toThrow('more than 4 MB');
    const empty = await toFragment({} as never);
    await expect(fromFragment(empty)).rejects.toThrow('no text');
  });

  test('that somebody else made brings no more than settings', async () => {
    const hostile = { method: 'magic', layers: -1, heads: 1.5, style: '<b>', pane: '__proto__', other: 7, evil: true };
    const shared = await fromFragment(
      await toFragment({ text: 'x', language: 'toString' as never, settings: hostile as never }),
    );
    expect(shared).toEqual({ text: 'x', language: 'text', settings: INITIAL });
  });
});

test('settings give way to what the model has', () => {
  const look = { ...INITIAL, layers: 7, heads: 11 } as const;
  expect(supported(look, { name: 'mini', layers: 6, heads: 8 })).toMatchObject({
    model: 'mini',
    layers: 'default',
    heads: 'mean',
  });
  expect(supported(look, { name: 'base', layers: 12, heads: 12 })).toMatchObject({ layers: 7, heads: 11 });
  expect(supported(look, { name: 'loading', layers: null, heads: null })).toMatchObject({ layers: 7, heads: 11 });
  expect(clean(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
});

test('there are examples in ten languages, the first is the shortest way in', () => {
  expect(new Set(EXAMPLES.map(({ language }) => language)).size).toBe(10);
  expect(EXAMPLES).toHaveLength(10);
  expect(EXAMPLES.every(({ text, language }) => text.length > 100 && language !== 'text')).toBe(true);
  expect(EXAMPLES[0]?.name).toBe('fibonacci.py');
});
