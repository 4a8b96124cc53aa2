// The editor's changes in the form of the protocol.
import type { Transaction } from '@codemirror/state';
import type { Change } from '../generated/live';
import { positionOf } from './positions';

/** A transaction's changes, the last one in the text first, so that each has positions of the text before the transaction. */
export function changesOf(transaction: Transaction): Change[] {
  const changes: Change[] = [];
  const { doc } = transaction.startState;
  transaction.changes.iterChanges((from, to, _start, _end, inserted) => {
    changes.push({ range: { start: positionOf(doc, from), end: positionOf(doc, to) }, text: inserted.toString() });
  });
  return changes.reverse();
}
