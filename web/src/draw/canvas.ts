// A canvas that fills a scrolling element.

/** Appends a canvas to `scroller`, and an element that gives the scroller its scrollable size. */
export function mount(scroller: HTMLElement, canvas: HTMLCanvasElement, spacer: HTMLElement): void {
  canvas.setAttribute('aria-hidden', 'true');
  canvas.className = 'matrix-canvas';
  spacer.className = 'matrix-spacer';
  scroller.append(canvas, spacer);
}

/** Gives the canvas as many pixels as the screen has on `width` × `height` CSS pixels. */
export function stretch(canvas: HTMLCanvasElement, width: number, height: number): void {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
}

/** Clears the canvas. One unit is one CSS pixel. */
export function clear(context: CanvasRenderingContext2D, width: number, height: number): void {
  const ratio = window.devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
}

/** The width of the widest label, in pixels. */
export function widest(context: CanvasRenderingContext2D, font: string, labels: readonly string[]): number {
  context.font = font;
  return Math.max(0, ...labels.map((label) => context.measureText(label).width));
}
