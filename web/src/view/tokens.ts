// Which words of a matrix lie where in the source.
import type { Position, Range } from '../generated/live';

interface Placed {
  range: Range | null;
}

const isBefore = (a: Position, b: Position) => a.line < b.line || (a.line === b.line && a.character < b.character);

/** Words of `tokens`, which are in the source's order, that lie in `part`; all, where none does. */
export function within(tokens: readonly Placed[], part: Range | null): { from: number; to: number } {
  const all = { from: 0, to: tokens.length };
  if (part === null) return all;
  const isInside = ({ range }: Placed) =>
    range !== null && !isBefore(range.start, part.start) && !isBefore(part.end, range.end);
  const from = tokens.findIndex(isInside);
  if (from < 0) return all;
  const after = tokens.slice(from).findIndex((token) => !isInside(token));
  return { from, to: after < 0 ? tokens.length : from + after };
}

/** The word at a place, its end included: that is where a cursor stands after it. */
export function tokenAt(tokens: readonly Placed[], at: Position): number | null {
  const holds = (isEnd: boolean) =>
    tokens.findIndex(
      ({ range }) =>
        range !== null &&
        !isBefore(at, range.start) &&
        (isBefore(at, range.end) || (isEnd && !isBefore(range.end, at))),
    );
  const inside = holds(false);
  const index = inside >= 0 ? inside : holds(true);
  return index < 0 ? null : index;
}
