// Decodes packed heat into spans, and prepares them for the styles.

export const LEVELS = [1, 2, 3, 4, 5] as const;
export type Level = (typeof LEVELS)[number];

export const STYLES = ['background', 'underline', 'spotlight', 'off'] as const;
export type Style = (typeof STYLES)[number];

/** Part of a line, in UTF-16 columns. */
export interface Span {
  line: number;
  start: number;
  end: number;
}

export interface HotSpan extends Span {
  level: Level;
}

/** A list of spans for each of the five levels. */
export type SpansByLevel = Record<Level, Span[]>;

const isLevel = (value: number): value is Level => (LEVELS as readonly number[]).includes(value);

/** Decodes five integers for each lexeme: line delta, start delta, length, level, lift. */
export function decode(data: readonly number[]): HotSpan[] {
  if (data.length % 5 !== 0)
    throw new RangeError(`packed heat has ${data.length} integers, which is not a multiple of 5`);
  const spans: HotSpan[] = [];
  let line = 0;
  let start = 0;
  for (let at = 0; at < data.length; at += 5) {
    const [deltaLine = 0, deltaStart = 0, length = 0, level = 0] = data.slice(at, at + 4);
    if (!isLevel(level)) throw new RangeError(`packed heat has the invalid level ${level}`);
    line += deltaLine;
    start = deltaLine === 0 ? start + deltaStart : deltaStart;
    spans.push({ line, start, end: start + length, level });
  }
  return spans;
}

/** Spans of at least `minLevel`, by level. */
export function byLevel(spans: readonly HotSpan[], minLevel: number): SpansByLevel {
  const lists: SpansByLevel = { 1: [], 2: [], 3: [], 4: [], 5: [] };
  for (const { level, ...span } of spans) {
    if (level >= minLevel) lists[level].push(span);
  }
  return lists;
}

/** What the style "spotlight" dims: levels below `LIT` by half, and the rest of the text more. */
export interface Dimmed {
  half: Span[];
  far: Span[];
}

/** Words from this level on are not dimmed. */
const LIT = 4;
const HALF = 2;

/**
 * Everything on `lines` that is not lit. Lines for which `isScored` returns false are not dimmed, because they have no scores.
 * `lengthOf` is a line's length.
 */
export function dim(
  spans: readonly HotSpan[],
  minLevel: number,
  lines: { first: number; last: number },
  lengthOf: (line: number) => number,
  isScored: (line: number) => boolean,
): Dimmed {
  const dimmed: Dimmed = { half: [], far: [] };
  let next = 0;
  for (let line = lines.first; line <= lines.last; line++) {
    while (next < spans.length && (spans[next]?.line ?? 0) < line) next++;
    if (!isScored(line)) continue;
    let from = 0;
    const far = (to: number) => {
      if (to > from) dimmed.far.push({ line, start: from, end: to });
    };
    for (let span = spans[next]; span?.line === line; span = spans[++next]) {
      const level = span.level < minLevel ? 0 : span.level;
      if (level < HALF) continue;
      far(span.start);
      if (level < LIT) dimmed.half.push({ line, start: span.start, end: span.end });
      from = span.end;
    }
    far(lengthOf(line));
  }
  return dimmed;
}
