// One word: its numbers, the words that it attends to, and the words that attend to it.
import { element, make } from '../app/dom';
import { visible } from '../draw/labels';
import { percent } from '../draw/matrix';
import type { Range, RelatedLexeme, RelationsResult } from '../generated/live';
import { type BarTable, bars, type Facts, facts, number } from './bars';

/** A lift as text. */
export const times = (lift: number): string => `${lift.toFixed(lift < 10 ? 1 : 0)}×`;

const place = ({ start }: Range) => `${start.line + 1}:${start.character + 1}`;

export class WordPane {
  /** What the pane shows. */
  tables: readonly BarTable[] = [];
  /** The word with its place and its numbers. */
  facts: Facts = [];
  private readonly box = element('pane-word', HTMLElement);

  constructor(private readonly onGo: (range: Range) => void) {}

  show(answer: RelationsResult | null): void {
    if (!answer) {
      this.tables = [];
      this.facts = [];
      this.box.replaceChildren(make('p', 'There is no word at the cursor. Put the cursor on a word.', 'muted'));
      return;
    }
    const { lexeme } = answer;
    const name = visible(lexeme.text);
    this.tables = [
      tableOf(`${name} attends to`, answer.attendsTo),
      tableOf(`${name} is attended by`, answer.attendedBy),
    ];
    const heading = make('h2', [make('b', name, 'word'), ` at ${place(lexeme.range)}`]);
    const numbers: Facts = [
      ['lift', times(lexeme.lift)],
      ['share of its chunk', percent(lexeme.share)],
      ['rank', String(lexeme.rank)],
      ['level', lexeme.level === 0 ? 'none' : `${lexeme.level} of 5`],
    ];
    this.facts = [[name, `at ${place(lexeme.range)}`], ...numbers];
    const columns = this.tables.map((table) => make('div', [bars(table, this.onGo)]));
    this.box.replaceChildren(heading, facts(numbers), make('div', columns, 'columns'));
  }
}

function tableOf(caption: string, ends: readonly RelatedLexeme[]): BarTable {
  const max = ends[0]?.weight ?? 0;
  const rows = ends.map(({ text, range, weight }) => ({
    text: visible(text),
    range,
    cells: [place(range), percent(weight)],
    length: max > 0 ? weight / max : 0,
  }));
  return { caption, word: 'word', columns: [number('at'), number('weight')], rows };
}
