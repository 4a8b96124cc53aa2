// Where the attention of the whole text goes: definitions, lines, words, chunks.
import { element, make } from '../app/dom';
import { percent } from '../draw/matrix';
import type { Range, SummaryResult } from '../generated/live';
import { type Bar, bars, facts, number } from './bars';
import { linesOf } from './drawn';
import { times, visible } from './wordPane';

/** More lines than a person reads; the strongest are what counts. */
const LINES = 40;

const greatest = (numbers: readonly number[]) => Math.max(Number.MIN_VALUE, ...numbers);

export class SummaryPane {
  private readonly box = element('pane-summary', HTMLElement);

  constructor(private readonly onGo: (range: Range) => void) {}

  /** `lineOf`: a line's text. */
  show(answer: SummaryResult | null, lineOf: (line: number) => string): void {
    if (!answer) {
      this.box.replaceChildren();
      return;
    }
    const { definitions, lines, top, chunks } = answer;
    const parts: HTMLElement[] = [
      facts([
        ['attention on <s> and </s>', percent(answer.sinkShare)],
        ['on whitespace', percent(answer.whitespaceShare)],
        ['chunks', String(chunks.length)],
        ['subwords', String(chunks.reduce((sum, { tokens }) => sum + tokens, 0))],
      ]),
    ];
    if (definitions.length > 0) parts.push(this.definitions(answer));
    const strongest = [...lines].sort((a, b) => b.share - a.share).slice(0, LINES);
    const words = bars(
      'Words',
      'word',
      [number('line'), number('× mean')],
      top.map(({ text, range, lift }) => ({
        text: visible(text),
        range,
        cells: [String(range.start.line + 1), times(lift)],
        length: lift / greatest(top.map((word) => word.lift)),
      })),
      this.onGo,
    );
    const lineBars = bars(
      lines.length > LINES ? `The ${LINES} strongest of ${lines.length} lines` : 'Lines, strongest first',
      'line',
      [number('no.'), number('share')],
      strongest.map(({ line, share }) => ({
        text: lineOf(line).trim(),
        range: { start: { line, character: 0 }, end: { line, character: 0 } },
        cells: [String(line + 1), percent(share)],
        length: share / greatest(strongest.map((each) => each.share)),
      })),
      this.onGo,
    );
    parts.push(make('div', [make('div', [words]), make('div', [lineBars], 'wide')], 'columns'));
    if (chunks.length > 1) parts.push(this.chunks(answer));
    this.box.replaceChildren(...parts);
  }

  private definitions({ definitions }: SummaryResult): HTMLElement {
    const max = greatest(definitions.map(({ share }) => share));
    const rows = definitions.map(
      ({ name, range, share, top }): Bar => ({
        text: name,
        range,
        cells: [percent(share), top ? `${top.label} (${times(top.lift)})` : '–'],
        length: share / max,
      }),
    );
    return bars('Definitions', 'name', [number('share'), { heading: 'most on', kind: 'text' }], rows, this.onGo);
  }

  private chunks({ chunks }: SummaryResult): HTMLElement {
    const max = greatest(chunks.map(({ tokens }) => tokens));
    const rows = chunks.map(
      ({ range, tokens, sinkShare }, at): Bar => ({
        text: `${at}: ${linesOf(range)}`,
        range,
        cells: [String(tokens), percent(sinkShare)],
        length: tokens / max,
      }),
    );
    return bars('Chunks', 'chunk', [number('subwords'), number('<s>, </s>')], rows, this.onGo);
  }
}
