// A matrix on a canvas: scrolling, zooming, pointing, and walking with the keyboard.
import { clear, mount, stretch, widest } from './canvas';
import { chooseLabels, shorten } from './labels';
import { type Fit, type Hit, hitTest, type Layout, layOut, moved, scrollFor, type Viewport } from './layout';
import { type Cell, columnSums, type Matrix, weightOf } from './matrix';
import { type Coloring, colorMatrix } from './scaling';
import { Tip } from './tip';

export interface Theme {
  foreground: string;
  muted: string;
  background: string;
  /** The color of the chosen cell's frame and labels. */
  focus: string;
  fontFamily: string;
}

export interface MatrixEvents {
  /** `isKeyboard`: a screen reader should announce the cell. */
  onPoint(cell: Cell | null, isKeyboard: boolean): void;
  /** The user clicked a cell or a label, or pressed Enter: go to that word. */
  onChoose(index: number): void;
  onZoom(zoom: number): void;
}

const ZOOM_STEP = 1.25;
const MAX_ZOOM = 16;
const PROBE_FONT = 13;

export class MatrixView {
  private readonly canvas = document.createElement('canvas');
  private readonly spacer = document.createElement('div');
  /** Each cell is one pixel. */
  private readonly cells = document.createElement('canvas');
  private matrix: Matrix | null = null;
  private coloring: Coloring | null = null;
  private labels: string[] = [];
  private strength: number[] = [];
  /** The labels that have room, for `layout`. */
  private fitting: number[] = [];
  private readonly tip: Tip;
  private layout: Layout = layOut(0, { width: 1, height: 1 }, 0, 1);
  private zoom = 1;
  private pointed: Cell | null = null;
  private marked: number | null = null;
  private frame = 0;

  /** `scroller` has the focus and scrolls. The view appends its canvas to it. */
  constructor(
    private readonly scroller: HTMLElement,
    private theme: Theme,
    private readonly events: MatrixEvents,
    private readonly fit: Fit = 'width',
  ) {
    mount(scroller, this.canvas, this.spacer);
    this.tip = new Tip(scroller);
    scroller.addEventListener('scroll', () => this.draw());
    scroller.addEventListener('mousemove', (event) => this.pointAt(event));
    scroller.addEventListener('mouseleave', () => this.point(null, false));
    scroller.addEventListener('blur', () => this.tip.hide());
    scroller.addEventListener('click', (event) => this.clicked(event));
    scroller.addEventListener('keydown', (event) => this.pressed(event));
    scroller.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        this.setZoom(this.zoom * (event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP));
      },
      { passive: false },
    );
    new ResizeObserver(() => this.resize()).observe(scroller);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    this.resize();
  }

  setMatrix(matrix: Matrix | null, coloring: Coloring | null = matrix && colorMatrix(matrix)): void {
    this.matrix = matrix;
    this.coloring = coloring;
    this.strength = matrix ? columnSums(matrix) : [];
    this.tip.hide();
    this.labels = matrix?.labels.map((label) => shorten(label)) ?? [];
    const n = this.labels.length;
    if (this.pointed && (this.pointed.query >= n || this.pointed.key >= n)) this.point(null, false);
    this.marked = null;
    if (coloring) this.paintCells(n, coloring);
    this.resize();
  }

  /** Marks the word at the editor's cursor on both axes. */
  mark(index: number | null): void {
    this.marked = index;
    this.draw();
  }

  /** Frames the cell at which the pointer is in another view of the same words. */
  follow(cell: Cell | null): void {
    if (cell?.query === this.pointed?.query && cell?.key === this.pointed?.key) return;
    this.pointed = cell;
    this.tip.hide();
    if (cell) this.reveal(cell);
    this.draw();
  }

  setZoom(zoom: number): void {
    this.zoom = Math.min(MAX_ZOOM, Math.max(1, zoom));
    this.resize();
    if (this.pointed) this.reveal(this.pointed);
    this.events.onZoom(this.zoom);
  }

  zoomBy(direction: 1 | -1): void {
    this.setZoom(this.zoom * ZOOM_STEP ** direction);
  }

  private viewport(): Viewport {
    const { clientWidth, clientHeight, scrollLeft, scrollTop } = this.scroller;
    return { width: clientWidth, height: clientHeight, scrollLeft, scrollTop };
  }

  private paintCells(n: number, { shades, lut }: Coloring): void {
    this.cells.width = n;
    this.cells.height = n;
    const context = this.cells.getContext('2d');
    if (!context || n === 0) return;
    const image = context.createImageData(n, n);
    // Whole pixels, so that the machine's byte order does not matter.
    const pixels = new Uint32Array(image.data.buffer);
    const colors = new Uint32Array(lut.buffer);
    for (let at = 0; at < n * n; at++) pixels[at] = colors[shades[at] ?? 0] ?? 0;
    context.putImageData(image, 0, 0);
  }

  private resize(): void {
    const { width, height } = this.viewport();
    const context = this.canvas.getContext('2d');
    if (!context || width === 0) return;
    const longest = widest(context, `${PROBE_FONT}px ${this.theme.fontFamily}`, this.labels);
    this.layout = layOut(this.labels.length, { width, height }, longest, this.zoom, this.fit);
    this.fitting = chooseLabels(this.matrix?.labels ?? [], this.strength, this.layout.every);
    this.spacer.style.width = `${this.layout.side}px`;
    this.spacer.style.height = `${this.layout.side}px`;
    stretch(this.canvas, width, height);
    this.draw();
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    const context = this.canvas.getContext('2d');
    if (!context) return;
    const { layout, theme } = this;
    const viewport = this.viewport();
    clear(context, viewport.width, viewport.height);
    if (layout.n === 0) return;
    const size = layout.n * layout.cell;
    context.save();
    context.beginPath();
    context.rect(layout.margin, layout.margin, viewport.width, viewport.height);
    context.clip();
    context.translate(layout.margin - viewport.scrollLeft, layout.margin - viewport.scrollTop);
    // The browser averages cells that are smaller than a pixel. Larger cells stay sharp.
    context.imageSmoothingEnabled = layout.cell < 1;
    context.drawImage(this.cells, 0, 0, size, size);
    if (this.pointed) this.frameCell(context, this.pointed, theme.focus);
    context.restore();
    this.drawLabels(context, viewport, 'query');
    this.drawLabels(context, viewport, 'key');
  }

  /** Draws the row and the column as thin lines, and a frame around the cell that is visible on dark and light cells. */
  private frameCell(context: CanvasRenderingContext2D, { query, key }: Cell, color: string): void {
    const { cell, n } = this.layout;
    context.strokeStyle = color;
    context.lineWidth = 1;
    context.globalAlpha = 0.8;
    context.strokeRect(-0.5, query * cell - 0.5, n * cell + 1, cell + 1);
    context.strokeRect(key * cell - 0.5, -0.5, cell + 1, n * cell + 1);
    context.globalAlpha = 1;
    context.lineWidth = 3;
    context.strokeStyle = '#000';
    context.strokeRect(key * cell - 1, query * cell - 1, cell + 2, cell + 2);
    context.lineWidth = 1.5;
    context.strokeStyle = '#fff';
    context.strokeRect(key * cell - 1, query * cell - 1, cell + 2, cell + 2);
  }

  private drawLabels(context: CanvasRenderingContext2D, viewport: Viewport, axis: 'query' | 'key'): void {
    const { layout, theme } = this;
    const chosen = this.pointed?.[axis] ?? null;
    const isKey = axis === 'key';
    context.save();
    context.beginPath();
    // A cell can be lower than the letters of its label.
    const start = layout.margin - layout.font / 2;
    if (isKey) context.rect(start, 0, viewport.width, layout.margin);
    else context.rect(0, start, layout.margin, viewport.height);
    context.clip();
    context.textBaseline = 'middle';
    context.textAlign = isKey ? 'left' : 'right';
    const scroll = isKey ? viewport.scrollLeft : viewport.scrollTop;
    const place = (index: number) => layout.margin + (index + 0.5) * layout.cell - scroll;
    const write = (index: number, color: string, weight: string) => {
      context.save();
      context.fillStyle = color;
      context.font = `${weight} ${layout.font}px ${theme.fontFamily}`;
      if (isKey) {
        context.translate(place(index), layout.margin - 4);
        context.rotate(-Math.PI / 2);
      } else {
        context.translate(layout.margin - 4, place(index));
      }
      context.fillText(this.labels[index] ?? '', 0, 0);
      context.restore();
    };
    const room = (layout.every * layout.cell) / 2;
    const special = [this.marked, chosen].filter((index): index is number => index !== null);
    for (const index of this.fitting) {
      const at = place(index);
      if (at < layout.margin - room || at > layout.margin + (isKey ? viewport.width : viewport.height)) continue;
      // The labels of the cursor and the pointer are always drawn.
      if (special.some((other) => Math.abs(other - index) * layout.cell < layout.font)) continue;
      write(index, theme.muted, 'normal');
    }
    if (this.marked !== null && this.marked !== chosen) write(this.marked, theme.foreground, 'bold');
    if (chosen !== null) write(chosen, theme.focus, 'bold');
    context.restore();
  }

  private hit(event: MouseEvent): Hit | null {
    const box = this.canvas.getBoundingClientRect();
    return hitTest(this.layout, this.viewport(), event.clientX - box.left, event.clientY - box.top);
  }

  private pointAt(event: MouseEvent): void {
    const hit = this.hit(event);
    if (hit === null) {
      this.point(null, false);
      return;
    }
    // On a label, the cell of the word with itself: its row and its column are framed.
    const cell = hit.kind === 'cell' ? hit.cell : { query: hit.index, key: hit.index };
    this.point(cell, false);
    this.showTip(cell, event.clientX, event.clientY);
  }

  private point(cell: Cell | null, isKeyboard: boolean): void {
    if (cell?.query === this.pointed?.query && cell?.key === this.pointed?.key) return;
    this.pointed = cell;
    if (!cell) this.tip.hide();
    this.draw();
    this.events.onPoint(cell, isKeyboard);
  }

  private showTip(cell: Cell, x: number, y: number): void {
    const { matrix, coloring } = this;
    if (!matrix || !coloring) return;
    const [query, key] = [this.labels[cell.query] ?? '', this.labels[cell.key] ?? ''];
    this.tip.show(`${query} → ${key}: ${coloring.format(weightOf(matrix, cell))}`, x, y, this.theme);
  }

  private showTipAtCell(cell: Cell): void {
    const { left, top } = this.canvas.getBoundingClientRect();
    const { scrollLeft, scrollTop } = this.viewport();
    const { margin, cell: size } = this.layout;
    const x = left + margin + (cell.key + 1) * size - scrollLeft;
    this.showTip(cell, x, top + margin + (cell.query + 1) * size - scrollTop);
  }

  private clicked(event: MouseEvent): void {
    const hit = this.hit(event);
    if (hit === null) return;
    if (hit.kind === 'cell') this.events.onChoose(event.shiftKey ? hit.cell.query : hit.cell.key);
    else this.events.onChoose(hit.index);
  }

  private reveal({ query, key }: Cell): void {
    const { width, height, scrollLeft, scrollTop } = this.viewport();
    this.scroller.scrollLeft = scrollFor(this.layout, key, scrollLeft, width);
    this.scroller.scrollTop = scrollFor(this.layout, query, scrollTop, height);
  }

  private pressed(event: KeyboardEvent): void {
    const n = this.labels.length;
    if (n === 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = moved(this.pointed, event.key, n);
    if (target) {
      this.point(target, true);
      this.reveal(target);
      this.showTipAtCell(target);
    } else if (event.key === 'Enter' && this.pointed) {
      this.events.onChoose(event.shiftKey ? this.pointed.query : this.pointed.key);
    } else if (event.key === 'Escape') {
      this.point(null, true);
    } else if (event.key === '+' || event.key === '=') {
      this.zoomBy(1);
    } else if (event.key === '-') {
      this.zoomBy(-1);
    } else if (event.key === '0') {
      this.setZoom(1);
    } else {
      return;
    }
    event.preventDefault();
  }
}
