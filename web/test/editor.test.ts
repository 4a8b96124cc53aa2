import { EditorState, Text } from '@codemirror/state';
import { expect, test } from 'vitest';
import { changesOf } from '../src/editor/changes';
import { offsetOf, positionOf } from '../src/editor/positions';
import type { Change } from '../src/generated/live';

/** As the server does it: one change after another, each in the text that the one before left. */
function applied(text: string, changes: readonly Change[]): string {
  return changes.reduce((now, { range, text: inserted }) => {
    if (!range) return inserted;
    const doc = Text.of(now.split('\n'));
    return now.slice(0, offsetOf(doc, range.start)) + inserted + now.slice(offsetOf(doc, range.end));
  }, text);
}

/** Mulberry32: the same numbers every time. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

test('edits in several places at once are what the server is told', () => {
  const below = random(20_240);
  const pieces = ['', 'x', '\n', 'ü\n\n', '👩‍👧', 'def f():\n  pass\n'];
  let state = EditorState.create({ doc: 'one\ntwo 👩‍👧 three\n\nfour' });
  for (let round = 0; round < 500; round++) {
    const cuts = Array.from({ length: 2 * (1 + below(3)) }, () => below(state.doc.length + 1)).sort((a, b) => a - b);
    const changes = [];
    for (let at = 0; at < cuts.length; at += 2) {
      const [from = 0, to = 0] = cuts.slice(at, at + 2);
      changes.push({ from, to: Math.min(to, from + 9), insert: pieces[below(pieces.length)] ?? '' });
    }
    const transaction = state.update({ changes });
    const told = applied(state.doc.toString(), changesOf(transaction));
    expect(told).toBe(transaction.newDoc.toString());
    state = transaction.state;
  }
});

test('positions are clamped to a text that has become shorter', () => {
  const doc = Text.of(['ab', '👩c', '']);
  expect(offsetOf(doc, { line: 1, character: 2 })).toBe(5);
  expect(offsetOf(doc, { line: 0, character: 9 })).toBe(2);
  expect(offsetOf(doc, { line: 9, character: 0 })).toBe(doc.length);
  for (let offset = 0; offset <= doc.length; offset++) expect(offsetOf(doc, positionOf(doc, offset))).toBe(offset);
});
