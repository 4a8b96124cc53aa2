// The panel's page: controls around the drawing. Everything that comes from a document is written with `textContent`.
import { bytesOf, floatsOf } from '../../../../../web/src/draw/bytes';
import { drawScale } from '../../../../../web/src/draw/legend';
import { type Cell, crop, type Matrix, percent } from '../../../../../web/src/draw/matrix';
import { MatrixView, type Theme } from '../../../../../web/src/draw/matrixView';
import { readOut } from '../../../../../web/src/draw/readout';
import { colorMatrix } from '../../../../../web/src/draw/scaling';
import { type Choice, drawThumbnails, type Maps } from '../../../../../web/src/draw/thumbnails';
import { type FromPanel, INITIAL_STATE, type MatrixMessage, type PanelState, type ToPanel } from '../messages';

declare function acquireVsCodeApi(): {
  postMessage(message: FromPanel): void;
  setState(state: PanelState): void;
};

const vscode = acquireVsCodeApi();
let state: PanelState = INITIAL_STATE;
let shown: MatrixMessage | null = null;
let matrix: Matrix | null = null;
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
const method = element('method', HTMLSelectElement);
const layer = element('layer', HTMLSelectElement);
const head = element('head', HTMLSelectElement);
const part = element('part', HTMLSelectElement);
const unit = element('unit', HTMLSelectElement);
const follow = element('follow', HTMLInputElement);
const thumbnails = element('thumbnails', HTMLElement);
const thumbnailsToggle = element('thumbnails-toggle', HTMLButtonElement);
const swatches = element('swatches', HTMLElement);
const heatWords = element('heat-words', HTMLElement);
const readout = element('readout', HTMLElement);
const lists = element('lists', HTMLElement);
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
  if (index === pointedAt) return 'itself';
  const line = shown?.lines[toAll(index)];
  return line ? `line ${line}` : '';
}

/** What the pointer, or else the cursor, is on. */
function showReadout(cell: Cell | null, isSaid: boolean): void {
  if (!matrix) return;
  const at = toPart(cursor);
  const about = cell ?? (at === null ? null : { query: at, key: at });
  const jump = (index: number) => post({ type: 'jump', index: toAll(index) });
  readOut(readoutParts, matrix, about, isSaid && cell !== null, jump, placeOf);
}

function fill(select: HTMLSelectElement, options: { value: string; text: string }[], value: string): void {
  const isSame =
    select.options.length === options.length && options.every(({ text }, at) => select.options[at]?.text === text);
  if (!isSame) select.replaceChildren(...options.map(({ value: each, text }) => new Option(text, each)));
  select.value = value;
}

const numbered = (count: number) => Array.from({ length: count }, (_, at) => ({ value: String(at), text: String(at) }));

function showControls(message: MatrixMessage): void {
  const { view: drawn, model } = message;
  fill(
    method,
    model.methods.map(({ value, name }) => ({ value, text: name })),
    drawn.method,
  );
  const isAll = drawn.layers.length === model.layers && model.layers > 1;
  const oneLayer = drawn.layers.length === 1 ? String(drawn.layers[0]) : isAll ? 'all' : 'some';
  fill(
    layer,
    [
      { value: 'all', text: 'all' },
      ...(oneLayer === 'some' ? [{ value: 'some', text: drawn.layers.join(', ') }] : []),
      ...numbered(model.layers),
    ],
    oneLayer,
  );
  const oneHead =
    typeof drawn.heads === 'string' ? drawn.heads : drawn.heads.length === 1 ? String(drawn.heads[0]) : 'some';
  fill(
    head,
    [
      { value: 'mean', text: 'mean' },
      { value: 'max', text: 'max' },
      ...(oneHead === 'some' ? [{ value: 'some', text: String(drawn.heads) }] : []),
      ...numbered(model.heads),
    ],
    oneHead,
  );
  part.disabled = !message.hasDefinition;
}

function showMatrix(message: MatrixMessage): void {
  shown = message;
  document.body.classList.remove('busy');
  nothing.textContent = '';
  main.hidden = false;
  title.textContent = message.title;
  subtitle.textContent = message.subtitle;
  cut.textContent = message.note;
  showControls(message);
  const whole: Matrix = { labels: message.labels, weights: floatsOf(message.weights), max: message.max };
  matrix = message.to - message.from === message.labels.length ? whole : crop(whole, message.from, message.to);
  const coloring = colorMatrix(matrix);
  view.setMatrix(matrix, coloring);
  matrixElement.setAttribute(
    'aria-label',
    `Attention matrix of ${matrix.labels.length} words, ${message.title}. ${message.subtitle}`,
  );
  element('ticks', HTMLOListElement).replaceChildren(...coloring.ticks.map((text) => make('li', text)));
  const sinkText =
    message.sinkShare > 0
      ? ` ${percent(message.sinkShare)} of the attention went to <s> and </s>; it is left out, and rows are shares of the rest.`
      : '';
  sinks.textContent = coloring.note + sinkText;
  showReadout(null, false);
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
  state = next;
  vscode.setState(next);
  part.value = next.part;
  unit.value = next.unit;
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
      heatWords.textContent = `In the source: ${data.text.charAt(0).toLowerCase()}${data.text.slice(1)}`;
      break;
    case 'nothing':
      shown = null;
      matrix = null;
      document.body.classList.remove('busy');
      main.hidden = true;
      view.setMatrix(null);
      nothing.textContent = data.text;
      break;
    case 'source-view':
      sourceView.hidden = data.text === null;
      sourceViewText.textContent = data.text === null ? '' : `The source shows another view: ${data.text}.`;
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
follow.addEventListener('change', () => choose({ isFollowing: follow.checked }));
thumbnailsToggle.addEventListener('click', () => choose({ hasThumbnails: !state.hasThumbnails }));
element('zoom-out', HTMLButtonElement).addEventListener('click', () => view.zoomBy(-1));
element('zoom-in', HTMLButtonElement).addEventListener('click', () => view.zoomBy(1));
element('zoom-fit', HTMLButtonElement).addEventListener('click', () => view.setZoom(1));
element('show-in-source', HTMLButtonElement).addEventListener('click', () => post({ type: 'show-in-source' }));
element('show-source-view', HTMLButtonElement).addEventListener('click', () => post({ type: 'show-source-view' }));
for (const format of ['png', 'svg', 'json'] as const) {
  element(`export-${format}`, HTMLButtonElement).addEventListener('click', () => post({ type: 'export', format }));
}

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
