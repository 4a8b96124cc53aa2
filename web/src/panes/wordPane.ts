// One word: its numbers, what it attends to, what attends to it.
import { element, make } from '../app/dom';
import { percent } from '../draw/matrix';
import type { Range, RelatedLexeme, RelationsResult } from '../generated/live';
import { type Bar, bars, facts, number } from './bars';

export const times = (lift: number): string => `${lift.toFixed(lift < 10 ? 1 : 0)}×`;

/** Whitespace as a person sees it. */
export const visible = (text: string): string =>
  text
    .replaceAll('\n', '⏎')
    .replaceAll('\t', '⇥')
    .replaceAll(/\p{Cc}/gu, '·');

const place = ({ start }: Range) => `${start.line + 1}:${start.character + 1}`;

export class WordPane {
  private readonly box = element('pane-word', HTMLElement);

  constructor(private readonly onGo: (range: Range) => void) {}

  show(answer: RelationsResult | null): void {
    if (!answer) {
      this.box.replaceChildren(make('p', 'There is no word at the cursor. Put it on one.', 'muted'));
      return;
    }
    const { lexeme } = answer;
    const heading = make('h2', [make('b', visible(lexeme.text), 'word'), ` at ${place(lexeme.range)}`]);
    const numbers = facts([
      ['share of its chunk', percent(lexeme.share)],
      ['of the average word', times(lexeme.lift)],
      ['rank', String(lexeme.rank)],
      ['level', lexeme.level === 0 ? 'none' : `${lexeme.level} of 5`],
    ]);
    this.box.replaceChildren(
      heading,
      numbers,
      make('div', [this.list('Attends to', answer.attendsTo), this.list('Attended by', answer.attendedBy)], 'columns'),
    );
  }

  private list(caption: string, ends: readonly RelatedLexeme[]): HTMLElement {
    const max = ends[0]?.weight ?? 0;
    const rows = ends.map(
      ({ text, range, weight }): Bar => ({
        text: visible(text),
        range,
        cells: [place(range), percent(weight)],
        length: max > 0 ? weight / max : 0,
      }),
    );
    return make('div', [bars(caption, 'word', [number('at'), number('weight')], rows, this.onGo)]);
  }
}
