import { expect, test } from 'vitest';
import { describeView, duration, shortModel } from '../../../../web/src/view/words';
import type { Status, View } from '../../src/protocol';
import { isModelMissing, legend, statusText } from '../../src/words';

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
  expect(legend('background', false, null)).toBe('The bluer a word, the more the model attends to it.');
  expect(legend('background', true, null)).toMatch(/^The more solid the frame/);
  expect(legend('underline', false, null)).toMatch(/line under a word/);
  expect(legend('spotlight', true, null)).toMatch(/brighter/);
  expect(legend('off', false, null)).toMatch(/^Heat is off/);
});

test('the legend says how the scores of subwords became one', () => {
  expect(legend('background', false, 'corrected')).toBe(
    'The bluer a word, the more the model attends to it. A word of several subwords: corrected for length.',
  );
  expect(legend('spotlight', false, 'mean')).toMatch(/A word of several subwords: the mean over the subwords\.$/);
  expect(legend('off', false, 'sum')).toMatch(/^Heat is off: choose a style to see it\.$/);
});

test('times are short', () => {
  expect([0.2, 7.6, 999, 1540].map(duration)).toEqual(['<1 ms', '8 ms', '999 ms', '1.5 s']);
});

const ready: Status = {
  state: 'ready',
  message: null,
  model: 'microsoft/codebert-base',
  embedded: false,
  percent: null,
  analysisMs: 82.4,
  analysisUri: 'file:///other.py',
  notes: [],
  view,
};

test('the status bar shows the model, its state and the latest time', () => {
  const status = ready;
  const done = { analysisMs: 82.4, percent: null };
  const text = (of: Status | null, isShown = true, document = done) => statusText(of, isShown, document, false);
  expect(text(status)).toBe('$(eye) codebert-base · 82 ms');
  expect(text(status, false)).toBe('$(eye-closed) codebert-base · 82 ms');
  expect(text({ ...status, state: 'downloading', percent: 41 })).toMatch(/download 41 %/);
  expect(text({ ...status, state: 'loading', model: null })).toMatch(/Codegaze: loading/);
  expect(text({ ...status, state: 'error' })).toMatch(/warning/);
  expect(text(null)).toMatch(/no server/);
});

test('the status bar has the time of the current document alone', () => {
  expect(statusText(ready, true, undefined, false)).toBe('$(eye) codebert-base');
  expect(statusText(ready, true, { analysisMs: 7, percent: null }, false)).toBe('$(eye) codebert-base · 7 ms');
});

test('the status bar shows how much of a long document is analyzed', () => {
  expect(statusText(ready, true, { analysisMs: null, percent: 12 }, false)).toBe('$(sync~spin) codebert-base · 12 %');
});

test('a model that is not on this machine stays visible in the status bar', () => {
  const other = { ...ready, model: 'codegaze-mini', message: 'microsoft/codebert-base is not on this machine' };
  expect(isModelMissing(other, 'microsoft/codebert-base')).toBe(true);
  expect(isModelMissing(other, 'auto')).toBe(false);
  expect(isModelMissing(ready, 'microsoft/codebert-base')).toBe(false);
  expect(statusText(other, true, undefined, true)).toBe('$(cloud-download) codegaze-mini');
});
