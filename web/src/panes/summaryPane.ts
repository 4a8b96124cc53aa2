// How the attention of the whole text is distributed over definitions, lines, words and chunks.
import { element, make } from '../app/dom';
import { visible } from '../draw/labels';
import { percent } from '../draw/matrix';
import type { Range, SummaryResult } from '../generated/live';
import { type BarTable, bars, type Facts, facts, number } from './bars';
import { linesOf } from './drawn';
import { times } from './wordPane';

/** The number of lines in the table. */
const LINES = 40;

const greatest = (numbers: readonly number[]) => Math.max(Number.MIN_VALUE, ...numbers);

export class SummaryPane {
  /** What the pane shows. */
  tables: readonly BarTable[] = [];
  facts: Facts = [];
  private readonly box = element('pane-summary', HTMLElement);

  constructor(private readonly onGo: (range: Range) => void) {}

  /** `lineOf` returns the text of a line. */
  show(answer: SummaryResult | null, lineOf: (line: number) => string): void {
    if (!answer) {
      this.tables = [];
      this.facts = [];
      this.box.replaceChildren();
      return;
    }
    const { definitions, chunks } = answer;
    this.facts = [
      ['attention on <s> and </s>', percent(answer.sinkShare)],
      ['on whitespace', percent(answer.whitespaceShare)],
      ['chunks', String(chunks.length)],
      ['subwords', String(chunks.reduce((sum, { tokens }) => sum + tokens, 0))],
    ];
    const before = definitions.length > 0 ? [definitionsOf(answer)] : [];
    const words = wordsOf(answer);
    const lines = linesTable(answer, lineOf);
    const after = chunks.length > 1 ? [chunksOf(answer)] : [];
    this.tables = [...before, words, lines, ...after];
    const draw = (table: BarTable) => bars(table, this.onGo);
    const middle = make('div', [make('div', [draw(words)]), make('div', [draw(lines)], 'wide')], 'columns');
    this.box.replaceChildren(facts(this.facts), ...before.map(draw), middle, ...after.map(draw));
  }
}

function wordsOf({ top }: SummaryResult): BarTable {
  const max = greatest(top.map(({ lift }) => lift));
  const rows = top.map(({ text, range, lift }) => ({
    text: visible(text),
    range,
    cells: [String(range.start.line + 1), times(lift)],
    length: lift / max,
  }));
  return { caption: 'Words', word: 'word', columns: [number('line'), number('lift')], rows };
}

function linesTable({ lines }: SummaryResult, lineOf: (line: number) => string): BarTable {
  const strongest = [...lines].sort((a, b) => b.share - a.share).slice(0, LINES);
  const max = greatest(strongest.map(({ share }) => share));
  const rows = strongest.map(({ line, share }) => ({
    text: visible(lineOf(line).trim()),
    range: { start: { line, character: 0 }, end: { line, character: 0 } },
    cells: [String(line + 1), percent(share)],
    length: share / max,
  }));
  const caption = lines.length > LINES ? `The ${LINES} strongest of ${lines.length} lines` : 'Lines, strongest first';
  return { caption, word: 'line', columns: [number('no.'), number('share')], rows };
}

function definitionsOf({ definitions }: SummaryResult): BarTable {
  const max = greatest(definitions.map(({ share }) => share));
  const rows = definitions.map(({ name, range, share, top }) => ({
    text: visible(name),
    range,
    cells: [percent(share), top ? `${visible(top.label)} (lift ${times(top.lift)})` : '–'],
    length: share / max,
  }));
  const columns = [number('share'), { heading: 'most attended', kind: 'text' as const }];
  return { caption: 'Definitions', word: 'name', columns, rows };
}

function chunksOf({ chunks }: SummaryResult): BarTable {
  const max = greatest(chunks.map(({ tokens }) => tokens));
  const rows = chunks.map(({ range, tokens, sinkShare }, at) => ({
    text: `${at}: ${linesOf(range)}`,
    range,
    cells: [String(tokens), percent(sinkShare)],
    length: tokens / max,
  }));
  return { caption: 'Chunks', word: 'chunk', columns: [number('subwords'), number('<s>, </s>')], rows };
}
