// The head view: arcs between words, and steps through layers and heads.

import type { Colors } from '../app/colors';
import { element, make } from '../app/dom';
import type { Heads, Layers } from '../app/settings';
import type { Pointed } from '../draw/arcs';
import { ArcsView } from '../draw/arcsView';
import { drawThickness } from '../draw/legend';
import { percent } from '../draw/matrix';
import { describeWord, readOut } from '../draw/readout';
import type { Model, View } from '../generated/live';
import type { Drawn } from './drawn';
import type { WordEvents } from './matrixPane';

export interface StepEvents {
  onStep(choice: { layers: Layers } | { heads: Heads }): void;
}

const ANNOUNCED = 3;

export class HeadsPane {
  private readonly scroller = element('arcs', HTMLElement);
  private readonly parts = {
    sentence: element('arcs-sentence', HTMLElement),
    lists: element('arcs-lists', HTMLElement),
    live: element('live', HTMLElement),
  };
  private readonly view: ArcsView;
  private readonly steps = new Map<string, { before: HTMLButtonElement; after: HTMLButtonElement; now: HTMLElement }>();
  private drawn: Drawn | null = null;
  private cursor: number | null = null;
  private pointed: Pointed | null = null;
  private at: { layer: number | null; head: number | null } = { layer: null, head: null };
  private model: Model | undefined;

  constructor(
    private readonly colors: Colors,
    private readonly events: WordEvents & StepEvents,
  ) {
    this.view = new ArcsView(this.scroller, colors.drawing(), {
      onPoint: (word, isKeyboard) => {
        this.pointed = word;
        this.showReadout();
        if (isKeyboard && word) this.announce(word);
        events.onPoint(word?.side === 'query' ? word.index : null, word?.side === 'key' ? word.index : null);
      },
      onChoose: (index) => events.onChoose(index),
    });
    colors.onChange(() => this.view.setTheme(colors.drawing()));
    for (const axis of ['layer', 'head'] as const) {
      const before = element(`${axis}-before`, HTMLButtonElement);
      const after = element(`${axis}-after`, HTMLButtonElement);
      before.addEventListener('click', () => this.step(axis, -1));
      after.addEventListener('click', () => this.step(axis, 1));
      this.steps.set(axis, { before, after, now: element(`${axis}-now`, HTMLElement) });
    }
  }

  show(drawn: Drawn | null, what: string): void {
    this.drawn = drawn;
    this.view.setMatrix(drawn?.matrix ?? null);
    if (!drawn) return;
    this.showLegend(drawn);
    this.scroller.setAttribute('aria-label', `Arcs between ${drawn.matrix.labels.length} words. ${what}`);
    this.showReadout();
  }

  private showLegend({ matrix }: Drawn): void {
    drawThickness(element('arcs-scale', HTMLCanvasElement), this.colors.drawing().focus);
    const numbers = [0, 0.5, 1].map((part) => percent(part * matrix.max));
    element('arcs-ticks', HTMLOListElement).replaceChildren(...numbers.map((each) => make('li', each)));
  }

  /** Shows the present layer and head, and disables the steps at the ends. */
  showView(view: View | null, model: Model | undefined): void {
    this.model = model;
    const one = (list: unknown) => (Array.isArray(list) && list.length === 1 ? (list[0] as number) : null);
    this.at = { layer: one(view?.layers), head: one(view?.heads) };
    const several = { layer: view ? 'several' : '–', head: typeof view?.heads === 'string' ? view.heads : 'several' };
    for (const axis of ['layer', 'head'] as const) {
      const { before, after, now } = this.steps.get(axis) ?? {};
      const at = this.at[axis];
      const count = (axis === 'layer' ? model?.layers : model?.heads) ?? 0;
      if (!before || !after || !now) continue;
      const name = axis === 'layer' ? (several.layer === 'several' && at === null ? 'layers' : 'layer') : 'head';
      now.textContent = `${name} ${at ?? several[axis]}`;
      before.disabled = count === 0 || at === 0;
      after.disabled = count === 0 || at === count - 1;
    }
  }

  mark(index: number | null): void {
    this.cursor = index;
    this.view.mark(index);
    this.showReadout();
  }

  private step(axis: 'layer' | 'head', by: 1 | -1): void {
    const count = (axis === 'layer' ? this.model?.layers : this.model?.heads) ?? 0;
    const at = this.at[axis];
    // If the view has several layers or heads, the steps begin at one end.
    const next = at === null ? (by > 0 ? 0 : count - 1) : at + by;
    if (next < 0 || next >= count) return;
    this.events.onStep(axis === 'layer' ? { layers: next } : { heads: next });
  }

  private showReadout(): void {
    if (!this.drawn) return;
    const at = this.pointed?.index ?? this.cursor;
    readOut(this.parts, this.drawn.matrix, at === null ? null : { query: at, key: at }, false, (index) =>
      this.events.onChoose(index),
    );
  }

  private announce(word: Pointed): void {
    if (this.drawn) this.parts.live.textContent = describeWord(this.drawn.matrix, word, ANNOUNCED);
  }
}
