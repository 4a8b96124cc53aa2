// Small maps of all layers and heads, as buttons.
import { LUT } from './colormap';

export interface Maps {
  layers: number;
  heads: number;
  /** Cells on each side. */
  size: number;
  /** [layer, head, query, key], one byte for each cell. */
  cells: Uint8Array;
}

export interface Choice {
  layer: number;
  head: number;
}

const MIN_TILE = 28;
const MAX_TILE = 44;

/** One map as RGBA. */
export function tilePixels(maps: Maps, { layer, head }: Choice): Uint8ClampedArray<ArrayBuffer> {
  const n = maps.size * maps.size;
  const start = (layer * maps.heads + head) * n;
  const pixels = new Uint8ClampedArray(4 * n);
  for (let at = 0; at < n; at++) {
    const color = 4 * (maps.cells[start + at] ?? 0);
    pixels.set(LUT.subarray(color, color + 4), 4 * at);
  }
  return pixels;
}

/** Fills `table` with a button for each map, at most `maxTile` pixels wide. `chosen`: the layer and head of the matrix. */
export function drawThumbnails(
  table: HTMLElement,
  maps: Maps,
  chosen: Partial<Choice>,
  onChoose: (choice: Choice) => void,
  maxTile = MAX_TILE,
): void {
  const label = (text: string) => {
    const element = document.createElement('span');
    element.className = 'thumbnail-label';
    element.textContent = text;
    element.setAttribute('aria-hidden', 'true');
    return element;
  };
  const hasChosen = chosen.layer !== undefined && chosen.head !== undefined;
  table.style.gridTemplateColumns = `auto repeat(${maps.heads}, minmax(${MIN_TILE}px, ${maxTile}px))`;
  const children: HTMLElement[] = [label('layer \\ head')];
  for (let head = 0; head < maps.heads; head++) children.push(label(String(head)));
  for (let layer = 0; layer < maps.layers; layer++) {
    children.push(label(String(layer)));
    for (let head = 0; head < maps.heads; head++) {
      const choice = { layer, head };
      const isChosen = chosen.layer === layer && chosen.head === head;
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'thumbnail';
      button.dataset.layer = String(layer);
      button.dataset.head = String(head);
      button.setAttribute('aria-label', `Layer ${layer}, head ${head}`);
      button.setAttribute('aria-pressed', String(isChosen));
      button.title = `Layer ${layer}, head ${head}`;
      // Tab stops once at the table. Arrow keys move inside it.
      button.tabIndex = isChosen || (!hasChosen && layer + head === 0) ? 0 : -1;
      const canvas = document.createElement('canvas');
      canvas.width = maps.size;
      canvas.height = maps.size;
      if (maps.size > 0) {
        canvas.getContext('2d')?.putImageData(new ImageData(tilePixels(maps, choice), maps.size, maps.size), 0, 0);
      }
      button.append(canvas);
      button.addEventListener('click', () => onChoose(choice));
      children.push(button);
    }
  }
  table.replaceChildren(...children);
  table.onkeydown = (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const at = document.activeElement instanceof HTMLElement ? document.activeElement.dataset : {};
    if (!step || at.layer === undefined) return;
    const layer = Math.min(maps.layers - 1, Math.max(0, Number(at.layer) + (step[0] ?? 0)));
    const head = Math.min(maps.heads - 1, Math.max(0, Number(at.head) + (step[1] ?? 0)));
    table.querySelector<HTMLElement>(`[data-layer="${layer}"][data-head="${head}"]`)?.focus();
    event.preventDefault();
  };
}
