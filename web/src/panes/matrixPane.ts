// The matrix: rows attend to columns.

import type { Colors } from '../app/colors';
import { element, make } from '../app/dom';
import { drawScale } from '../draw/legend';
import type { Cell } from '../draw/matrix';
import { MatrixView } from '../draw/matrixView';
import { readOut } from '../draw/readout';
import { colorMatrix, type Scaling } from '../draw/scaling';
import type { Drawn } from './drawn';

export interface WordEvents {
  /** The words at the pointer: the one that attends, and the one that it attends to. */
  onPoint(query: number | null, key: number | null): void;
  /** Go to a word. */
  onChoose(index: number): void;
}

export class MatrixPane {
  private readonly scroller = element('matrix', HTMLElement);
  private readonly parts = {
    sentence: element('matrix-sentence', HTMLElement),
    lists: element('matrix-lists', HTMLElement),
    live: element('live', HTMLElement),
  };
  private readonly view: MatrixView;
  private drawn: Drawn | null = null;
  private cursor: number | null = null;
  private pointed: Cell | null = null;

  constructor(
    colors: Colors,
    private readonly events: WordEvents,
  ) {
    this.view = new MatrixView(this.scroller, colors.drawing(), {
      onPoint: (cell, isKeyboard) => {
        this.pointed = cell;
        this.showReadout(isKeyboard);
        events.onPoint(cell?.query ?? null, cell?.key ?? null);
      },
      onChoose: (index) => events.onChoose(index),
      onZoom: () => {},
    });
    colors.onChange(() => this.view.setTheme(colors.drawing()));
    drawScale(element('scale', HTMLCanvasElement));
    element('zoom-out', HTMLButtonElement).addEventListener('click', () => this.view.zoomBy(-1));
    element('zoom-in', HTMLButtonElement).addEventListener('click', () => this.view.zoomBy(1));
    element('zoom-fit', HTMLButtonElement).addEventListener('click', () => this.view.setZoom(1));
  }

  show(drawn: Drawn | null, what: string, scaling: Scaling): void {
    this.drawn = drawn;
    const coloring = drawn && colorMatrix(drawn.matrix, { scaling });
    this.view.setMatrix(drawn?.matrix ?? null, coloring);
    if (!drawn || !coloring) return;
    this.scroller.setAttribute('aria-label', `Attention matrix of ${drawn.matrix.labels.length} words. ${what}`);
    element('ticks', HTMLOListElement).replaceChildren(...coloring.ticks.map((tick) => make('li', tick)));
    element('scale-note', HTMLElement).textContent = coloring.note;
    this.showReadout(false);
  }

  /** The word at the editor's cursor. */
  mark(index: number | null): void {
    this.cursor = index;
    this.view.mark(index);
    this.showReadout(false);
  }

  private showReadout(isSaid: boolean): void {
    if (!this.drawn) return;
    const at = this.cursor === null ? null : { query: this.cursor, key: this.cursor };
    const isPointed = this.pointed !== null;
    readOut(this.parts, this.drawn.matrix, this.pointed ?? at, isSaid && isPointed, (index) =>
      this.events.onChoose(index),
    );
  }
}
