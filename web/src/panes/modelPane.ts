// The model view: small maps of every layer and head.
import { element } from '../app/dom';
import { bytesOf } from '../draw/bytes';
import { type Choice, drawThumbnails, type Maps } from '../draw/thumbnails';
import type { ThumbnailsResult, View } from '../generated/live';

const MAX_TILE = 84;

export class ModelPane {
  maps: Maps | null = null;
  private readonly table = element('thumbnails', HTMLElement);

  constructor(private readonly onChoose: (choice: Choice) => void) {}

  show(answer: ThumbnailsResult | null, view: View | null): void {
    this.maps = answer && { ...answer, cells: bytesOf(answer.cells) };
    if (!this.maps) {
      this.table.replaceChildren();
      return;
    }
    const chosen: Partial<Choice> = {};
    const [layer, ...otherLayers] = view?.layers ?? [];
    const [head, ...otherHeads] = Array.isArray(view?.heads) ? view.heads : [];
    if (layer !== undefined && otherLayers.length === 0) chosen.layer = layer;
    if (head !== undefined && otherHeads.length === 0) chosen.head = head;
    const focused = this.table.contains(document.activeElement) ? document.activeElement : null;
    const at = focused instanceof HTMLElement ? focused.dataset : {};
    drawThumbnails(this.table, this.maps, chosen, this.onChoose, MAX_TILE);
    // The buttons are new, so the focus is set again.
    if (at.layer !== undefined) {
      this.table.querySelector<HTMLElement>(`[data-layer="${at.layer}"][data-head="${at.head}"]`)?.focus();
    }
  }
}
