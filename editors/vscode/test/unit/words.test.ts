import { expect, test } from 'vitest';
import { describeView, duration, shortModel } from '../../../../web/src/view/words';
import type { Status, View } from '../../src/protocol';
import { legend, statusText } from '../../src/words';

const view: View = {
  model: 'codegaze-mini',
  revision: null,
  method: 'received',
  layers: [0, 1, 2],
  heads: 'mean',
  sinks: 'drop',
  aggregate: 'sum',
};

test('views are said in words', () => {
  expect(describeView(view)).toBe('attention received, layers 0–2, mean of heads');
  expect(describeView({ ...view, layers: [3], heads: [7] })).toBe('attention received, layer 3, head 7');
  expect(describeView({ ...view, method: 'rollout', layers: [0, 2], heads: [0, 1] })).toBe(
    'rollout, layers 0, 2, heads 0–1',
  );
});

test('models are called by the end of their names', () => {
  expect(shortModel('microsoft/codebert-base')).toBe('codebert-base');
  expect(shortModel('C:\\models\\mine\\')).toBe('mine');
  expect(shortModel('codegaze-mini')).toBe('codegaze-mini');
});

test('the legend is of the style and the theme', () => {
  expect(legend('background', false)).toBe('The bluer a word, the more the model attends to it.');
  expect(legend('background', true)).toMatch(/^The more solid the frame/);
  expect(legend('underline', false)).toMatch(/line under a word/);
  expect(legend('spotlight', true)).toMatch(/brighter/);
  expect(legend('off', false)).toMatch(/^Heat is off/);
});

test('times are short', () => {
  expect([0.2, 7.6, 999, 1540].map(duration)).toEqual(['<1 ms', '8 ms', '999 ms', '1.5 s']);
});

test('the status bar says the model, its state and the latest time', () => {
  const status: Status = {
    state: 'ready',
    message: null,
    model: 'microsoft/codebert-base',
    embedded: false,
    percent: null,
    analysisMs: 82.4,
    view,
  };
  expect(statusText(status, true)).toBe('$(eye) codebert-base · 82 ms');
  expect(statusText(status, false)).toBe('$(eye-closed) codebert-base · 82 ms');
  expect(statusText({ ...status, state: 'downloading', percent: 41 }, true)).toMatch(/download 41 %/);
  expect(statusText({ ...status, state: 'loading', model: null }, true)).toMatch(/Codegaze: loading/);
  expect(statusText({ ...status, state: 'error' }, true)).toMatch(/warning/);
  expect(statusText(null, true)).toMatch(/no server/);
});
