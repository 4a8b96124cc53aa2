// A matrix as it is drawn: of a whole chunk or of the definition at the cursor.

import { floatsOf } from '../draw/bytes';
import { crop, type Matrix } from '../draw/matrix';
import type { MatrixResult, Position, Range } from '../generated/live';
import { tokenAt, within } from '../view/tokens';

export interface Drawn {
  matrix: Matrix;
  /** Where each word is; `null` for special subwords. */
  ranges: readonly (Range | null)[];
  answer: MatrixResult;
}

export function draw(answer: MatrixResult, part: 'definition' | 'chunk'): Drawn {
  const whole: Matrix = {
    labels: answer.tokens.map(({ label }) => label),
    weights: floatsOf(answer.weights),
    max: answer.max,
  };
  const { from, to } = within(answer.tokens, part === 'definition' ? answer.definition : null);
  const matrix = to - from === whole.labels.length ? whole : crop(whole, from, to);
  return { matrix, ranges: answer.tokens.slice(from, to).map(({ range }) => range), answer };
}

/** The word at a place. */
export function indexAt(drawn: Drawn, position: Position): number | null {
  return tokenAt(
    drawn.ranges.map((range) => ({ range })),
    position,
  );
}

export function linesOf({ start, end }: Range): string {
  const last = end.character === 0 && end.line > start.line ? end.line : end.line + 1;
  return start.line + 1 === last ? `line ${last}` : `lines ${start.line + 1}–${last}`;
}
