// What the export buttons make.
import { element } from '../app/dom';
import type { Pane } from '../app/settings';
import { diverging } from '../draw/diverging';
import { arcsFigure, type Figure, mapsFigure, matrixFigure, type PictureStyle, picture } from '../draw/pictures';
import type { Maps } from '../draw/thumbnails';
import { toHtml } from './html';
import { type Shown, toJson } from './json';
import { save, toPng } from './save';

export interface ExportState extends Shown {
  pane: Pane;
  maps: Maps | null;
  title: string;
  subtitle: string;
  /** Of files, without an ending. */
  name: string;
  style: PictureStyle;
  isDark: boolean;
}

/** What is open, as a picture; the matrix, where it is a list. `null` where there is nothing to draw. */
export function svgOf(state: ExportState): string | null {
  const { pane, drawn, compared, maps, style, isDark } = state;
  let figures: Figure[] = [];
  if (pane === 'compare' && compared) {
    figures = [
      matrixFigure(compared.a, compared.captionA, style),
      matrixFigure(compared.b, compared.captionB, style),
      matrixFigure(compared.difference, 'B − A', style, diverging(isDark)),
    ];
  } else if (pane === 'model' && maps) {
    figures = [mapsFigure(maps, style)];
  } else if (drawn) {
    figures = [pane === 'heads' ? arcsFigure(drawn.matrix, style) : matrixFigure(drawn.matrix, '', style)];
  }
  return figures.length === 0 ? null : picture(state.title, state.subtitle, figures, style);
}

export class Exports {
  /** `say`: what went wrong. */
  constructor(
    private readonly state: () => ExportState,
    private readonly say: (trouble: string) => void,
  ) {
    for (const format of ['png', 'svg', 'json', 'html'] as const) {
      element(`export-${format}`, HTMLButtonElement).addEventListener('click', () => void this.export(format));
    }
  }

  private async export(format: 'png' | 'svg' | 'json' | 'html'): Promise<void> {
    try {
      const content = await this.content(format);
      if (content) save(content, `${this.state().name}.${format}`);
      else this.say('There is no picture to export yet.');
    } catch (error) {
      this.say(`The export failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async content(format: 'png' | 'svg' | 'json' | 'html'): Promise<Blob | null> {
    const state = this.state();
    if (format === 'json') return new Blob([toJson(state)], { type: 'application/json' });
    const svg = svgOf(state);
    if (format === 'html') {
      const html = toHtml(state.title, state.subtitle, state.text, state.heat, svg);
      return new Blob([html], { type: 'text/html' });
    }
    if (svg === null) return null;
    return format === 'svg' ? new Blob([svg], { type: 'image/svg+xml' }) : toPng(svg);
  }
}
