// What the panel draws, in words: the lines of the words that are drawn, and why they are not all lines of the part.
import * as vscode from 'vscode';
import type { MatrixResult } from '../../../../web/src/generated/live';
import { within } from '../../../../web/src/view/tokens';

type Placed = Pick<MatrixResult, 'tokens' | 'range' | 'definition' | 'chunks'>;

/** The words to draw, of all words of the chunk, and the lines that they are on, counted from 1. */
export interface Drawn {
  from: number;
  to: number;
  first: number;
  last: number;
  /** The lines of the definition or the chunk, where they are more. */
  partLines: { first: number; last: number } | null;
}

export function drawn(result: Placed, part: 'definition' | 'chunk'): Drawn {
  const wanted = (part === 'definition' ? result.definition : null) ?? result.range;
  const { from, to } = within(result.tokens, part === 'definition' ? result.definition : null);
  const ranges = result.tokens.slice(from, to).flatMap(({ range }) => (range ? [range] : []));
  // A part that ends at the start of a line does not have this line.
  const wantedLast = wanted.end.line + (wanted.end.character > 0 || wanted.end.line === wanted.start.line ? 1 : 0);
  const wantedFirst = wanted.start.line + 1;
  const first = ranges[0] ? ranges[0].start.line + 1 : wantedFirst;
  const lastRange = ranges.at(-1);
  // A subword of a line break ends at the start of the next line.
  const last = lastRange ? Math.max(first, lastRange.end.line + (lastRange.end.character > 0 ? 1 : 0)) : wantedLast;
  const isCut = part === 'definition' && (wantedFirst < first || last < wantedLast);
  return { from, to, first, last, partLines: isCut ? { first: wantedFirst, last: wantedLast } : null };
}

export const lineWords = (line: number): string => vscode.l10n.t('line {0}', line);
const lines = (first: number, last: number) =>
  first === last ? lineWords(first) : vscode.l10n.t('lines {0}–{1}', first, last);

/** `a.py, lines 3–9`, and for a part that is longer than a chunk, what it is a part of. */
export function heading(name: string, { first, last, partLines }: Drawn): string {
  if (partLines === null) return `${name}, ${lines(first, last)}`;
  return vscode.l10n.t('{0}, {1} of {2}–{3}', name, lines(first, last), partLines.first, partLines.last);
}

/** Why not all lines of the definition are drawn. */
export function whyCut({ partLines }: Drawn, chunk: number, chunks: number): string {
  if (partLines === null || chunks < 2) return '';
  return vscode.l10n.t(
    "The definition is longer than the model's window. This is the part in chunk {0} of {1}; move the cursor to see another part.",
    chunk + 1,
    chunks,
  );
}
