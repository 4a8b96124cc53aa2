// What was typed, as the server is told it.
import type { Transaction } from '@codemirror/state';
import type { Change } from '../generated/live';
import { positionOf } from './positions';

/** A transaction's changes, the last in the text first: so each has the positions that the text had before all of them. */
export function changesOf(transaction: Transaction): Change[] {
  const changes: Change[] = [];
  const { doc } = transaction.startState;
  transaction.changes.iterChanges((from, to, _start, _end, inserted) => {
    changes.push({ range: { start: positionOf(doc, from), end: positionOf(doc, to) }, text: inserted.toString() });
  });
  return changes.reverse();
}
