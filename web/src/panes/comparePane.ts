// Two views of the same source side by side, and their signed difference.

import type { Colors } from '../app/colors';
import { element, make } from '../app/dom';
import { common, divertedShare, pick, subtract } from '../draw/difference';
import { diverging } from '../draw/diverging';
import { visible } from '../draw/labels';
import { drawScale } from '../draw/legend';
import { type Cell, type Matrix, percent, signedPercent, weightOf } from '../draw/matrix';
import { type MatrixEvents, MatrixView } from '../draw/matrixView';
import { type Coloring, clippedEnd, colorMatrix, type Scaling } from '../draw/scaling';
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

/** The words that are in both matrices. */
export function compare(a: Drawn, b: Drawn): Compared {
  const { inA, inB } = common(a.ranges.map(keyOf), b.ranges.map(keyOf));
  const [partA, partB] = [pick(a.matrix, inA), pick(b.matrix, inB)];
  return {
    a: partA,
    b: partB,
    difference: subtract(partA, partB),
    ranges: inA.map((index) => a.ranges[index] ?? null),
    captionA: `A: ${caption(a)}`,
    captionB: `B: ${caption(b)}`,
  };
}

export interface ComparedColors {
  a: Coloring;
  b: Coloring;
  difference: Coloring;
}

/** A and B share one color scale. */
export function comparedColors({ a, b, difference }: Compared, scaling: Scaling, isDark: boolean): ComparedColors {
  const end = Math.max(clippedEnd(a).end, clippedEnd(b).end);
  const shared = { end, max: Math.max(a.max, b.max) };
  return {
    a: colorMatrix(a, { scaling, shared }),
    b: colorMatrix(b, { scaling, shared }),
    difference: colorMatrix(difference, { scaling, scale: diverging(isDark), isSigned: true }),
  };
}

export class ComparePane {
  compared: Compared | null = null;
  private scaling: Scaling = 'clipped';
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

  show(a: Drawn | null, b: Drawn | null, scaling: Scaling): void {
    this.scaling = scaling;
    this.compared = a && b ? compare(a, b) : null;
    element('caption-a', HTMLElement).textContent = this.compared?.captionA ?? '';
    element('caption-b', HTMLElement).textContent = this.compared?.captionB ?? '';
    const all = Math.max(a?.matrix.labels.length ?? 0, b?.matrix.labels.length ?? 0);
    const shared = this.compared?.difference.labels.length ?? 0;
    this.note.textContent =
      this.compared && shared < all
        ? `${all - shared} of ${all} words are only in A or only in B, and are left out.`
        : '';
    this.draw();
  }

  mark(index: number | null): void {
    for (const view of this.views) view.mark(index);
  }

  private createView(id: string): MatrixView {
    const events: MatrixEvents = {
      onPoint: (cell, isKeyboard) => {
        for (const other of this.views) if (other !== view) other.follow(cell);
        this.showReadout(cell, isKeyboard);
        this.events.onPoint(cell?.query ?? null, cell?.key ?? null);
      },
      onChoose: (index) => this.events.onChoose(index),
      onZoom: () => {},
    };
    const view = new MatrixView(element(id, HTMLElement), this.colors.drawing(), events, 'all');
    return view;
  }

  private draw(): void {
    const { compared } = this;
    const colorings = compared && comparedColors(compared, this.scaling, this.colors.isDark);
    const [a, b, difference] = this.views;
    a?.setMatrix(compared?.a ?? null, colorings?.a ?? null);
    b?.setMatrix(compared?.b ?? null, colorings?.b ?? null);
    difference?.setMatrix(compared?.difference ?? null, colorings?.difference ?? null);
    this.showLegend('compare', colorings?.a ?? null);
    this.showLegend('signed', colorings?.difference ?? null);
    this.showReadout(null, false);
  }

  private showLegend(prefix: 'compare' | 'signed', coloring: Coloring | null): void {
    drawScale(element(`${prefix}-scale`, HTMLCanvasElement), coloring?.lut);
    const ticks = coloring?.ticks ?? [];
    element(`${prefix}-ticks`, HTMLOListElement).replaceChildren(...ticks.map((tick) => make('li', tick)));
    element(`${prefix}-scale-note`, HTMLElement).textContent = coloring?.note ?? '';
  }

  private showReadout(cell: Cell | null, isSaid: boolean): void {
    if (!this.compared) {
      this.sentence.replaceChildren();
      this.lists.replaceChildren();
      return;
    }
    const { a, b, difference } = this.compared;
    const label = (index: number) => visible(difference.labels[index] ?? '');
    if (!cell) {
      this.sentence.replaceChildren(
        make('span', 'Orange: more in A. Blue: more in B. Point at a cell, or move with the arrow keys.', 'muted'),
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

  /** The words whose attention differs most between A and B. */
  private mostDiverted(difference: Matrix): HTMLElement {
    const words = difference.labels
      .map((label, index) => ({ label, index, share: divertedShare(difference, index) }))
      .sort((one, other) => other.share - one.share)
      .slice(0, MOST);
    const items = words.map(({ label, index, share }) => {
      const button = make('button', visible(label), 'word');
      button.type = 'button';
      button.title = 'Go to this word';
      button.addEventListener('click', () => this.events.onChoose(index));
      return make('li', [make('span', percent(share), 'weight'), button]);
    });
    return make('div', [make('h2', 'Attend elsewhere most'), make('ol', items)]);
  }
}
