// Two ways to look at the same source, side by side, and the signed difference.

import type { Colors } from '../app/colors';
import { element, make } from '../app/dom';
import { common, divertedShare, pick, subtract } from '../draw/difference';
import { diverging } from '../draw/diverging';
import { drawScale, signedTicks } from '../draw/legend';
import { type Cell, type Matrix, percent, signedPercent, weightOf } from '../draw/matrix';
import { type MatrixEvents, MatrixView } from '../draw/matrixView';
import type { Range } from '../generated/live';
import { describeView, shortModel } from '../view/words';
import type { Drawn } from './drawn';
import type { WordEvents } from './matrixPane';

export interface Compared {
  a: Matrix;
  b: Matrix;
  difference: Matrix;
  ranges: readonly (Range | null)[];
  captionA: string;
  captionB: string;
}

const MOST = 8;

const keyOf = (range: Range | null) =>
  range && `${range.start.line}:${range.start.character}-${range.end.line}:${range.end.character}`;

const caption = ({ answer: { view } }: Drawn) => `${shortModel(view.model)}: ${describeView(view)}`;

/** The words that both have, on one scale. */
export function compare(a: Drawn, b: Drawn): Compared {
  const { inA, inB } = common(a.ranges.map(keyOf), b.ranges.map(keyOf));
  const [partA, partB] = [pick(a.matrix, inA), pick(b.matrix, inB)];
  const max = Math.max(partA.max, partB.max);
  return {
    a: { ...partA, max },
    b: { ...partB, max },
    difference: subtract(partA, partB),
    ranges: inA.map((index) => a.ranges[index] ?? null),
    captionA: `A: ${caption(a)}`,
    captionB: `B: ${caption(b)}`,
  };
}

export class ComparePane {
  compared: Compared | null = null;
  private readonly views: MatrixView[];
  private readonly sentence = element('compare-sentence', HTMLElement);
  private readonly lists = element('compare-lists', HTMLElement);
  private readonly note = element('compare-note', HTMLElement);
  private readonly live = element('live', HTMLElement);

  constructor(
    private readonly colors: Colors,
    private readonly events: WordEvents,
  ) {
    this.views = ['matrix-a', 'matrix-b', 'matrix-difference'].map((id) => this.createView(id));
    colors.onChange(() => {
      for (const view of this.views) view.setTheme(colors.drawing());
      this.draw();
    });
    this.draw();
  }

  show(a: Drawn | null, b: Drawn | null): void {
    this.compared = a && b ? compare(a, b) : null;
    element('caption-a', HTMLElement).textContent = this.compared?.captionA ?? '';
    element('caption-b', HTMLElement).textContent = this.compared?.captionB ?? '';
    const all = Math.max(a?.matrix.labels.length ?? 0, b?.matrix.labels.length ?? 0);
    const shared = this.compared?.difference.labels.length ?? 0;
    this.note.textContent =
      this.compared && shared < all ? `${all - shared} of ${all} words are in one of the two alone and left out.` : '';
    this.draw();
  }

  mark(index: number | null): void {
    for (const view of this.views) view.mark(index);
  }

  private createView(id: string): MatrixView {
    const events: MatrixEvents = {
      onPoint: (cell, isKeyboard) => {
        for (const other of this.views) if (other !== view) other.follow(cell);
        this.tell(cell, isKeyboard);
        this.events.onPoint(cell?.query ?? null, cell?.key ?? null);
      },
      onChoose: (index) => this.events.onChoose(index),
      onZoom: () => {},
    };
    const view = new MatrixView(element(id, HTMLElement), this.colors.drawing(), events, 'all');
    return view;
  }

  private draw(): void {
    const scale = diverging(this.colors.isDark);
    const [a, b, difference] = this.views;
    a?.setMatrix(this.compared?.a ?? null);
    b?.setMatrix(this.compared?.b ?? null);
    difference?.setMatrix(this.compared?.difference ?? null, scale);
    drawScale(element('signed-scale', HTMLCanvasElement), scale);
    const numbers = signedTicks(this.compared?.difference.max ?? 0);
    element('signed-ticks', HTMLOListElement).replaceChildren(...numbers.map((tick) => make('li', tick)));
    this.tell(null, false);
  }

  private tell(cell: Cell | null, isSaid: boolean): void {
    if (!this.compared) {
      this.sentence.replaceChildren();
      this.lists.replaceChildren();
      return;
    }
    const { a, b, difference } = this.compared;
    const label = (index: number) => difference.labels[index] ?? '';
    if (!cell) {
      this.sentence.replaceChildren(
        make('span', 'Orange: more in A. Blue: more in B. Point at a cell, or walk with the arrow keys.', 'muted'),
      );
      this.lists.replaceChildren(this.mostDiverted(difference));
      return;
    }
    const numbers = `${percent(weightOf(a, cell))} in A, ${percent(weightOf(b, cell))} in B: `;
    const signed = signedPercent(weightOf(difference, cell));
    this.sentence.replaceChildren(
      make('b', label(cell.query)),
      ' to ',
      make('b', label(cell.key)),
      `: ${numbers}`,
      make('b', signed),
    );
    if (isSaid) this.live.textContent = `${label(cell.query)} to ${label(cell.key)}: ${numbers}${signed}`;
  }

  /** The words whose attention differs most. */
  private mostDiverted(difference: Matrix): HTMLElement {
    const words = difference.labels
      .map((label, index) => ({ label, index, share: divertedShare(difference, index) }))
      .sort((one, other) => other.share - one.share)
      .slice(0, MOST);
    const items = words.map(({ label, index, share }) => {
      const button = make('button', label, 'word');
      button.type = 'button';
      button.addEventListener('click', () => this.events.onChoose(index));
      return make('li', [make('span', percent(share), 'weight'), button]);
    });
    return make('div', [make('h2', 'Attend elsewhere most'), make('ol', items)]);
  }
}
