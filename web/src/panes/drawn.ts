// A matrix as a pane draws it: of a whole chunk, or of the definition at the cursor.

import type { Part } from '../app/settings';
import { floatsOf } from '../draw/bytes';
import { crop, type Matrix } from '../draw/matrix';
import type { MatrixResult, Position, Range } from '../generated/live';
import { covered, tokenAt, within } from '../view/tokens';

export interface Drawn {
  matrix: Matrix;
  /** The place of each word; `null` for special subwords. */
  ranges: readonly (Range | null)[];
  answer: MatrixResult;
}

export function draw(answer: MatrixResult, part: Part): Drawn {
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

/**
 * The lines of the words that are drawn, and why the rest of the definition or of the text is missing. `maxTokens`: the number of
 * subwords that the model reads at once.
 */
export function describeLines({ ranges, answer }: Drawn, part: Part, maxTokens: number | null): string {
  const drawn = covered(ranges) ?? answer.range;
  const lines = linesOf(drawn).replace(/^l/, 'L');
  const limit = maxTokens === null ? 'one window' : `${maxTokens} subwords`;
  const chunk = answer.chunks > 1 ? `chunk ${answer.chunk} of 0–${answer.chunks - 1}` : '';
  const { definition } = answer;
  if (part === 'definition' && definition) {
    const lastLine = definition.end.character === 0 ? definition.end.line - 1 : definition.end.line;
    const isCut = definition.start.line < drawn.start.line || lastLine > drawn.end.line;
    if (isCut && answer.chunks > 1)
      return `${lines} of the definition on ${linesOf(definition)}: the model reads at most ${limit} at once (${chunk})`;
    return lines;
  }
  return chunk === '' ? lines : `${lines} of the text: the model reads at most ${limit} at once (${chunk})`;
}
