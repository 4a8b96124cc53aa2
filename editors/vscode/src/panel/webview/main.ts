// The panel's page: controls around the drawing. Everything that comes from a document is written with `textContent`.
import { bytesOf, floatsOf } from '../../../../../web/src/draw/bytes';
import { drawScale } from '../../../../../web/src/draw/legend';
import { type Cell, crop, type Matrix } from '../../../../../web/src/draw/matrix';
import { MatrixView, type Theme } from '../../../../../web/src/draw/matrixView';
import { matrixFigure, picture } from '../../../../../web/src/draw/pictures';
import { readOut } from '../../../../../web/src/draw/readout';
import { type Coloring, colorMatrix, type Scaling } from '../../../../../web/src/draw/scaling';
import { type Choice, drawThumbnails, type Maps } from '../../../../../web/src/draw/thumbnails';
import { toPng } from '../../../../../web/src/export/save';
import type { Aggregate } from '../../../../../web/src/generated/lists';
import {
  type Control,
  type Controls,
  type FromPanel,
  INITIAL_STATE,
  type MatrixMessage,
  type PanelState,
  type ToPanel,
} from '../messages';

declare function acquireVsCodeApi(): {
  postMessage(message: FromPanel): void;
  setState(state: PanelState): void;
};

const vscode = acquireVsCodeApi();
let state: PanelState = INITIAL_STATE;
let shown: MatrixMessage | null = null;
let matrix: Matrix | null = null;
let coloring: Coloring | null = null;
let maps: Maps | null = null;
let cursor: number | null = null;

function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

const title = element('title', HTMLElement);
const subtitle = element('subtitle', HTMLElement);
const cut = element('cut', HTMLElement);
const sourceView = element('source-view', HTMLElement);
const sourceViewText = element('source-view-text', HTMLElement);
const nothing = element('nothing', HTMLElement);
const main = document.querySelector('main') ?? document.body;
const legend = element('legend', HTMLElement);
const method = element('method', HTMLSelectElement);
const layer = element('layer', HTMLSelectElement);
const head = element('head', HTMLSelectElement);
const aggregate = element('aggregate', HTMLSelectElement);
const pickers: Record<keyof Controls, HTMLSelectElement> = { method, layer, head, aggregate };
const part = element('part', HTMLSelectElement);
const unit = element('unit', HTMLSelectElement);
const scaling = element('scaling', HTMLSelectElement);
const follow = element('follow', HTMLInputElement);
const thumbnails = element('thumbnails', HTMLElement);
const thumbnailsToggle = element('thumbnails-toggle', HTMLButtonElement);
const swatches = element('swatches', HTMLElement);
const heatWords = element('heat-words', HTMLElement);
const readout = element('readout', HTMLElement);
const lists = element('lists', HTMLElement);
const ticks = element('ticks', HTMLOListElement);
const colorNote = element('color-note', HTMLElement);
const sinks = element('sinks', HTMLElement);
const live = element('live', HTMLElement);
const matrixElement = element('matrix', HTMLElement);

const post = (message: FromPanel) => vscode.postMessage(message);
const choose = (chosen: Partial<PanelState>) => post({ type: 'choose', state: chosen });

function theme(): Theme {
  const style = getComputedStyle(document.body);
  const color = (name: string, fallback: string) => style.getPropertyValue(name).trim() || fallback;
  return {
    foreground: color('--vscode-editor-foreground', '#888'),
    muted: color('--vscode-descriptionForeground', '#888'),
    background: color('--vscode-editor-background', '#fff'),
    focus: color('--vscode-textLink-foreground', '#3794ff'),
    fontFamily: color('--vscode-editor-font-family', 'monospace'),
  };
}

const view = new MatrixView(matrixElement, theme(), {
  onPoint(cell, isKeyboard) {
    showReadout(cell, isKeyboard);
    post({ type: 'point', cell: cell && { query: toAll(cell.query), key: toAll(cell.key) } });
  },
  onChoose: (index) => post({ type: 'jump', index: toAll(index) }),
  onZoom: (zoom) => {
    if (zoom !== state.zoom) choose({ zoom });
  },
});

/** From the part that is drawn to the whole chunk, and back. */
const toAll = (index: number) => index + (shown?.from ?? 0);
const toPart = (index: number | null) =>
  index === null || !shown || index < shown.from || index >= shown.to ? null : index - shown.from;

const make = (tag: string, text: string, className = '') => {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
};

const readoutParts = { sentence: readout, lists, live };

/** Where a word of the lists is. */
function placeOf(index: number, pointedAt: number): string {
  return (index === pointedAt ? shown?.itself : shown?.places[toAll(index)]) ?? '';
}

/** What the pointer, or else the cursor, is on. */
function showReadout(cell: Cell | null, isSaid: boolean): void {
  if (!matrix) return;
  const at = toPart(cursor);
  const about = cell ?? (at === null ? null : { query: at, key: at });
  const jump = (index: number) => post({ type: 'jump', index: toAll(index) });
  readOut(readoutParts, matrix, about, isSaid && cell !== null, jump, placeOf);
}

function fill(select: HTMLSelectElement, { choices, value }: Control): void {
  const isSame =
    select.options.length === choices.length && choices.every(({ text }, at) => select.options[at]?.text === text);
  if (!isSame) {
    const options = choices.map(({ value: each, text, title = '' }) => {
      const option = new Option(text, each);
      option.title = title;
      return option;
    });
    select.replaceChildren(...options);
  }
  select.value = value;
}

function showMatrix(message: MatrixMessage): void {
  shown = message;
  document.body.classList.remove('busy');
  nothing.textContent = '';
  main.hidden = false;
  legend.hidden = false;
  title.textContent = message.title;
  subtitle.textContent = message.subtitle;
  cut.textContent = message.note;
  for (const [name, select] of Object.entries(pickers)) fill(select, message.controls[name as keyof Controls]);
  part.disabled = !message.hasDefinition;
  const whole: Matrix = { labels: message.labels, weights: floatsOf(message.weights), max: message.max };
  matrix = message.to - message.from === message.labels.length ? whole : crop(whole, message.from, message.to);
  matrixElement.setAttribute('aria-label', message.description);
  sinks.textContent = message.sinks;
  colorAnew();
  showReadout(null, false);
}

/** Draws the matrix in the colors of the chosen scaling. */
function colorAnew(): void {
  if (!matrix || !shown) return;
  coloring = colorMatrix(matrix, { scaling: state.scaling });
  view.setMatrix(matrix, coloring);
  view.mark(toPart(cursor));
  ticks.replaceChildren(...coloring.ticks.map((text) => make('li', text)));
  colorNote.textContent = coloring.note;
}

function showThumbnails(): void {
  thumbnails.hidden = !state.hasThumbnails || !maps;
  thumbnailsToggle.setAttribute('aria-pressed', String(state.hasThumbnails));
  if (!state.hasThumbnails || !maps) return;
  const { layers, heads } = shown?.view ?? { layers: [], heads: 'mean' as const };
  const chosen: Partial<Choice> = {};
  if (layers.length === 1 && layers[0] !== undefined) chosen.layer = layers[0];
  if (Array.isArray(heads) && heads.length === 1 && heads[0] !== undefined) chosen.head = heads[0];
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset : {};
  drawThumbnails(thumbnails, maps, chosen, (choice) => choose(choice));
  // Drawn anew, the choice keeps the keyboard.
  if (focused.layer !== undefined) {
    thumbnails.querySelector<HTMLElement>(`[data-layer="${focused.layer}"][data-head="${focused.head}"]`)?.focus();
  }
}

function showState(next: PanelState): void {
  const hasOtherColors = next.scaling !== state.scaling;
  state = next;
  vscode.setState(next);
  part.value = next.part;
  unit.value = next.unit;
  scaling.value = next.scaling;
  if (hasOtherColors) colorAnew();
  follow.checked = next.isFollowing;
  showThumbnails();
}

window.addEventListener('message', ({ data }: MessageEvent<ToPanel>) => {
  switch (data.type) {
    case 'state': {
      const isFirst = state.uri === '';
      showState(data.state);
      if (isFirst) view.setZoom(data.state.zoom);
      break;
    }
    case 'busy':
      document.body.classList.add('busy');
      break;
    case 'matrix':
      showMatrix(data);
      showThumbnails();
      break;
    case 'legend':
      swatches.hidden = !data.hasSwatches;
      heatWords.textContent = data.text;
      break;
    case 'nothing':
      shown = null;
      matrix = null;
      coloring = null;
      document.body.classList.remove('busy');
      main.hidden = true;
      legend.hidden = true;
      view.setMatrix(null);
      nothing.textContent = data.text;
      break;
    case 'source-view':
      sourceView.hidden = data.text === null;
      sourceViewText.textContent = data.text ?? '';
      break;
    case 'cursor':
      cursor = data.index;
      view.mark(toPart(cursor));
      showReadout(null, false);
      break;
    case 'maps':
      maps = { ...data, cells: bytesOf(data.cells) };
      showThumbnails();
      break;
  }
});

const layerOf = (value: string): PanelState['layer'] => (value === 'all' || value === 'last' ? value : Number(value));
const headOf = (value: string): PanelState['head'] => (value === 'mean' || value === 'max' ? value : Number(value));

// Another method has another default of layers.
method.addEventListener('change', () => choose({ method: method.value as PanelState['method'], layer: null }));
layer.addEventListener('change', () => choose({ layer: layerOf(layer.value) }));
head.addEventListener('change', () => choose({ head: headOf(head.value) }));
part.addEventListener('change', () => choose({ part: part.value as PanelState['part'] }));
unit.addEventListener('change', () => choose({ unit: unit.value as PanelState['unit'] }));
scaling.addEventListener('change', () => choose({ scaling: scaling.value as Scaling }));
aggregate.addEventListener('change', () => post({ type: 'choose-aggregate', aggregate: aggregate.value as Aggregate }));
follow.addEventListener('change', () => choose({ isFollowing: follow.checked }));
thumbnailsToggle.addEventListener('click', () => choose({ hasThumbnails: !state.hasThumbnails }));
element('zoom-out', HTMLButtonElement).addEventListener('click', () => view.zoomBy(-1));
element('zoom-in', HTMLButtonElement).addEventListener('click', () => view.zoomBy(1));
element('zoom-fit', HTMLButtonElement).addEventListener('click', () => view.setZoom(1));
element('show-in-source', HTMLButtonElement).addEventListener('click', () => post({ type: 'show-in-source' }));
element('show-source-view', HTMLButtonElement).addEventListener('click', () => post({ type: 'show-source-view' }));

/** Exports exactly what is drawn. */
async function exportPicture(format: 'png' | 'svg'): Promise<void> {
  if (!matrix || !coloring || !shown) return;
  const { foreground, muted, background, focus, fontFamily } = theme();
  const style = { foreground, muted, background, accent: focus, fontFamily };
  const svg = picture(shown.title, shown.subtitle, [matrixFigure(matrix, '', style, coloring)], style);
  try {
    const file = format === 'svg' ? new Blob([svg]) : await toPng(svg);
    const content = new Uint8Array(await file.arrayBuffer());
    post({ type: 'export-picture', format, content });
  } catch (error) {
    post({ type: 'failed', text: error instanceof Error ? error.message : String(error) });
  }
}
for (const format of ['png', 'svg'] as const) {
  element(`export-${format}`, HTMLButtonElement).addEventListener('click', () => void exportPicture(format));
}
element('export-json', HTMLButtonElement).addEventListener('click', () => post({ type: 'export-data' }));

drawScale(element('scale', HTMLCanvasElement));
// VS Code marks a change of the theme in the attributes of the page.
new MutationObserver(() => view.setTheme(theme())).observe(document.body, {
  attributes: true,
  attributeFilter: ['data-vscode-theme-id'],
});
new MutationObserver(() => view.setTheme(theme())).observe(document.documentElement, {
  attributes: true,
  attributeFilter: ['style'],
});
post({ type: 'ready' });
