// The head view on a canvas: words in two columns and arcs between them. It scrolls, and follows the pointer and the keyboard.
import {
  type Arc,
  arcsOf,
  type Columns,
  columns,
  curve,
  middle,
  type Pointed,
  stepped,
  strength,
  strongestArcs,
  wordAt,
} from './arcs';
import { clear, mount, stretch, widest } from './canvas';
import { shorten } from './labels';
import type { Matrix } from './matrix';
import type { Theme } from './matrixView';
import { describeWord } from './readout';
import { Tip } from './tip';

export interface ArcsTheme extends Theme {
  /** The color of arcs from the word at the pointer. */
  attendsTo: string;
  /** The color of arcs to it. */
  attendedBy: string;
}

export interface ArcsEvents {
  /** `isKeyboard`: a screen reader should announce the word. */
  onPoint(word: Pointed | null, isKeyboard: boolean): void;
  /** The user clicked a word, or pressed Enter: go to that word. */
  onChoose(index: number): void;
}

const FONT = 13;
const PER_QUERY = 5;
/** Weaker arcs are not drawn. */
const THRESHOLD = 0.01;
const MAX_WIDTH = 3;
const UNLIT = 0.5;
const FADED = 0.07;
/** The tip names this many words. */
const NAMED = 3;

export class ArcsView {
  private readonly canvas = document.createElement('canvas');
  private readonly spacer = document.createElement('div');
  private matrix: Matrix | null = null;
  private labels: string[] = [];
  private arcs: Arc[] = [];
  private layout: Columns = columns(0, 1, 0);
  private pointed: Pointed | null = null;
  private marked: number | null = null;
  private frame = 0;
  private readonly tip: Tip;

  /** `scroller` has the focus and scrolls. The view appends its canvas to it. */
  constructor(
    private readonly scroller: HTMLElement,
    private theme: ArcsTheme,
    private readonly events: ArcsEvents,
  ) {
    mount(scroller, this.canvas, this.spacer);
    scroller.addEventListener('scroll', () => this.draw());
    this.tip = new Tip(scroller);
    scroller.addEventListener('blur', () => this.tip.hide());
    scroller.addEventListener('mousemove', (event) => {
      const hit = this.hit(event);
      this.point(hit, false);
      if (hit) this.showTip(hit, event.clientX, event.clientY);
    });
    scroller.addEventListener('mouseleave', () => this.point(null, false));
    scroller.addEventListener('click', (event) => {
      const hit = this.hit(event);
      if (hit) this.events.onChoose(hit.index);
    });
    scroller.addEventListener('keydown', (event) => this.pressed(event));
    new ResizeObserver(() => this.resize()).observe(scroller);
  }

  setTheme(theme: ArcsTheme): void {
    this.theme = theme;
    this.resize();
  }

  setMatrix(matrix: Matrix | null): void {
    this.matrix = matrix;
    this.labels = matrix?.labels.map((label) => shorten(label)) ?? [];
    this.arcs = matrix ? strongestArcs(matrix, PER_QUERY, THRESHOLD) : [];
    if (this.pointed && this.pointed.index >= this.labels.length) this.point(null, false);
    this.marked = null;
    this.tip.hide();
    this.resize();
  }

  /** Marks the word at the editor's cursor in both columns, and brings it into view. */
  mark(index: number | null): void {
    if (index !== null && index !== this.marked) this.reveal(index);
    this.marked = index;
    this.draw();
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.scroller;
    const context = this.canvas.getContext('2d');
    if (!context || width === 0) return;
    const longest = widest(context, `${FONT}px ${this.theme.fontFamily}`, this.labels);
    this.layout = columns(this.labels.length, width, longest);
    this.spacer.style.height = `${this.layout.height}px`;
    stretch(this.canvas, width, height);
    this.draw();
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    const context = this.canvas.getContext('2d');
    if (!context || !this.matrix) return;
    const { clientWidth: width, clientHeight: height, scrollTop } = this.scroller;
    clear(context, width, height);
    context.translate(0, -scrollTop);
    // A curve stays between the heights of its ends, so arcs that lie above or below the visible part are not drawn.
    const isSeen = ({ query, key }: Arc) => {
      const [from, to] = [middle(this.layout, Math.min(query, key)), middle(this.layout, Math.max(query, key))];
      return to >= scrollTop && from <= scrollTop + height;
    };
    const about = this.pointed ?? (this.marked === null ? null : { side: 'query' as const, index: this.marked });
    const lit = about ? arcsOf(this.matrix, about, THRESHOLD) : [];
    const max = this.matrix.max;
    for (const arc of this.arcs) {
      if (isSeen(arc)) this.stroke(context, arc, this.theme.focus, (about ? FADED : UNLIT) * strength(arc.weight, max));
    }
    const color = about?.side === 'key' ? this.theme.attendedBy : this.theme.attendsTo;
    const litMax = lit.at(-1)?.weight ?? 0;
    for (const arc of lit) {
      if (isSeen(arc)) this.stroke(context, arc, color, 0.25 + 0.75 * strength(arc.weight, litMax));
    }
    this.drawWords(context, about, lit, scrollTop, height);
  }

  private stroke(context: CanvasRenderingContext2D, arc: Arc, color: string, alpha: number): void {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0, x2 = 0, y2 = 0, x3 = 0, y3 = 0] = curve(this.layout, arc);
    context.globalAlpha = alpha;
    context.strokeStyle = color;
    context.lineWidth = 0.5 + MAX_WIDTH * strength(arc.weight, this.matrix?.max ?? 0) ** 2;
    context.beginPath();
    context.moveTo(x0, y0);
    context.bezierCurveTo(x1, y1, x2, y2, x3, y3);
    context.stroke();
    context.globalAlpha = 1;
  }

  private drawWords(
    context: CanvasRenderingContext2D,
    about: Pointed | null,
    lit: readonly Arc[],
    scrollTop: number,
    height: number,
  ): void {
    const { layout, theme } = this;
    const queries = new Set(lit.map(({ query }) => query));
    const keys = new Set(lit.map(({ key }) => key));
    const first = Math.max(0, Math.floor(scrollTop / layout.row));
    const last = Math.min(layout.n - 1, Math.ceil((scrollTop + height) / layout.row));
    context.textBaseline = 'middle';
    for (let index = first; index <= last; index++) {
      const y = middle(layout, index);
      for (const side of ['query', 'key'] as const) {
        const isAbout = about?.side === side && about.index === index;
        const isLit = (side === 'query' ? queries : keys).has(index);
        const isMarked = this.marked === index;
        context.font = `${isAbout || isMarked ? 'bold ' : ''}${FONT}px ${theme.fontFamily}`;
        context.fillStyle = isAbout ? theme.focus : !about || isLit || isMarked ? theme.foreground : theme.muted;
        context.textAlign = side === 'query' ? 'right' : 'left';
        const x = side === 'query' ? layout.left - 4 : layout.right + 4;
        context.fillText(this.labels[index] ?? '', x, y);
      }
    }
  }

  private hit(event: MouseEvent): Pointed | null {
    const box = this.canvas.getBoundingClientRect();
    return wordAt(this.layout, event.clientX - box.left, event.clientY - box.top + this.scroller.scrollTop);
  }

  private point(word: Pointed | null, isKeyboard: boolean): void {
    if (word?.index === this.pointed?.index && word?.side === this.pointed?.side) return;
    this.pointed = word;
    if (!word) this.tip.hide();
    this.draw();
    this.events.onPoint(word, isKeyboard);
  }

  private showTip(word: Pointed, x: number, y: number): void {
    if (this.matrix) this.tip.show(describeWord(this.matrix, word, NAMED), x, y, this.theme);
  }

  private showTipAtWord(word: Pointed): void {
    const { left, top } = this.canvas.getBoundingClientRect();
    const x = word.side === 'query' ? this.layout.left : this.layout.right;
    this.showTip(word, left + x, top + middle(this.layout, word.index) - this.scroller.scrollTop);
  }

  private reveal(index: number): void {
    const { clientHeight, scrollTop } = this.scroller;
    const y = middle(this.layout, index);
    const row = this.layout.row;
    if (y - row < scrollTop) this.scroller.scrollTop = y - clientHeight / 3;
    else if (y + row > scrollTop + clientHeight) this.scroller.scrollTop = y - (2 * clientHeight) / 3;
  }

  private pressed(event: KeyboardEvent): void {
    const n = this.labels.length;
    if (n === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = stepped(this.pointed, event.key, n);
    if (target) {
      this.point(target, true);
      this.reveal(target.index);
      this.showTipAtWord(target);
    } else if (event.key === 'Enter' && this.pointed) {
      this.events.onChoose(this.pointed.index);
    } else if (event.key === 'Escape') {
      this.point(null, true);
    } else {
      return;
    }
    event.preventDefault();
  }
}
