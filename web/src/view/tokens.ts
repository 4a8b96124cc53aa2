// The places of a matrix's words in the source.
import type { MatrixToken, Position, Range } from '../generated/live';

type Placed = Pick<MatrixToken, 'range'>;

const isBefore = (a: Position, b: Position) => a.line < b.line || (a.line === b.line && a.character < b.character);

/** The words of `tokens` that lie in `part`; if there are none, all words. `tokens` are in the source's order. */
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

/** The range from the first word to the last. `null` if no word has a place. */
export function covered(ranges: readonly (Range | null)[]): Range | null {
  const placed = ranges.filter((range) => range !== null);
  const [first, last] = [placed[0], placed.at(-1)];
  return first && last ? { start: first.start, end: last.end } : null;
}

/** The word at a place. A word also has the place of its end, where the cursor is after the user has typed the word. */
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
