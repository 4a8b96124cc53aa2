// Heat as decorations of the editor: backgrounds, underlines or a spotlight, and outlines of words.
import { type Range as MarkRange, RangeSetBuilder, StateEffect, StateField, type Text } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';
import type { Range } from '../generated/live';
import { dim, type HotSpan, type Span, type Style } from '../view/heat';
import { offsetOf } from './positions';

export interface PaintedHeat {
  spans: readonly HotSpan[];
  unscored: readonly Range[];
  style: Style;
}

export type OutlineKind = 'query' | 'attends-to' | 'attended-by';

export interface Outline {
  range: Range;
  kind: OutlineKind;
}

const paint = StateEffect.define<PaintedHeat>();
const outline = StateEffect.define<readonly Outline[]>();

const marks = new Map<string, Decoration>();

function mark(className: string): Decoration {
  const made = marks.get(className) ?? Decoration.mark({ class: className });
  marks.set(className, made);
  return made;
}

function heatOf(text: Text, { spans, unscored, style }: PaintedHeat): DecorationSet {
  if (style === 'off') return Decoration.none;
  const builder = new RangeSetBuilder<Decoration>();
  const add = ({ line, start, end }: Span, className: string) => {
    const from = offsetOf(text, { line, character: start });
    const to = offsetOf(text, { line, character: end });
    if (to > from) builder.add(from, to, mark(className));
  };
  if (style === 'spotlight') {
    const isScored = (line: number) => !unscored.some(({ start, end }) => start.line <= line && line < end.line);
    const lines = { first: spans[0]?.line ?? 0, last: spans.at(-1)?.line ?? -1 };
    const { half, far } = dim(spans, 1, lines, (line) => text.line(Math.min(text.lines, line + 1)).length, isScored);
    const all = [
      ...half.map((span) => ({ span, name: 'dim-half' })),
      ...far.map((span) => ({ span, name: 'dim-far' })),
    ];
    all.sort((a, b) => a.span.line - b.span.line || a.span.start - b.span.start);
    for (const { span, name } of all) add(span, name);
  } else {
    for (const span of spans) add(span, `${style === 'underline' ? 'line' : 'heat'}-${span.level}`);
  }
  return builder.finish();
}

const heatField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(heat, transaction) {
    // Old heat moves with its words until the heat of the new text arrives.
    let next = heat.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(paint)) next = heatOf(transaction.newDoc, effect.value);
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const outlineField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(outlines, transaction) {
    let next = outlines.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(outline)) continue;
      const ranges: MarkRange<Decoration>[] = [];
      for (const { range, kind } of effect.value) {
        const from = offsetOf(transaction.newDoc, range.start);
        const to = offsetOf(transaction.newDoc, range.end);
        if (to > from) ranges.push(mark(`outline-${kind}`).range(from, to));
      }
      next = Decoration.set(ranges, true);
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export const heatExtension = [heatField, outlineField];

export const paintHeat = (view: EditorView, heat: PaintedHeat) => view.dispatch({ effects: paint.of(heat) });
export const showOutlines = (view: EditorView, outlines: readonly Outline[]) =>
  view.dispatch({ effects: outline.of(outlines) });
