// Offsets of the editor's text ⇄ lines and columns. Both count UTF-16 code units.
import type { Text } from '@codemirror/state';
import type { Position } from '../generated/live';

/** The offset of a position, clamped to the text, because heat can belong to an earlier version. */
export function offsetOf(text: Text, { line, character }: Position): number {
  if (line >= text.lines) return text.length;
  const { from, to } = text.line(line + 1);
  return Math.min(to, from + character);
}

export function positionOf(text: Text, offset: number): Position {
  const line = text.lineAt(offset);
  return { line: line.number - 1, character: offset - line.from };
}
