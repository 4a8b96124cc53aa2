// The export buttons.
import { element } from '../app/dom';
import type { Pane } from '../app/settings';
import {
  arcsFigure,
  type Figure,
  mapsFigure,
  matrixFigure,
  type PictureStyle,
  picture,
  type Table,
  tableFigure,
} from '../draw/pictures';
import { colorMatrix } from '../draw/scaling';
import type { LexemeHeat } from '../generated/live';
import { comparedColors } from '../panes/comparePane';
import type { HotSpan } from '../view/heat';
import { toHtml } from './html';
import { type Shown, toJson } from './json';
import { save, toPng } from './save';

export interface ExportState extends Shown {
  pane: Pane;
  /** What the pane "word" or "summary" shows. */
  tables: readonly Table[];
  /** The words that the editor shows with heat. */
  spans: readonly HotSpan[];
  title: string;
  subtitle: string;
  /** The file's name without its extension. */
  name: string;
  style: PictureStyle;
  isDark: boolean;
}

/** The open pane as a picture. `null` if the pane is empty. */
export function svgOf(state: ExportState): string | null {
  const { pane, drawn, compared, maps, tables, style, scaling, isDark } = state;
  let figures: Figure[] = [];
  if (pane === 'compare' && compared) {
    const { a, b, difference } = comparedColors(compared, scaling, isDark);
    figures = [
      matrixFigure(compared.a, compared.captionA, style, a),
      matrixFigure(compared.b, compared.captionB, style, b),
      matrixFigure(compared.difference, 'B − A', style, difference),
    ];
  } else if (pane === 'model' && maps) {
    figures = [mapsFigure(maps, style)];
  } else if (pane === 'word' || pane === 'summary') {
    figures = tables.map((table) => tableFigure(table, style));
  } else if (pane === 'heads' && drawn) {
    figures = [arcsFigure(drawn.matrix, style)];
  } else if (pane === 'matrix' && drawn) {
    figures = [matrixFigure(drawn.matrix, '', style, colorMatrix(drawn.matrix, { scaling }))];
  }
  return figures.length === 0 ? null : picture(state.title, state.subtitle, figures, style);
}

const FORMATS = ['png', 'svg', 'json', 'html'] as const;
type Format = (typeof FORMATS)[number];

/** How long an export waits for the analysis of a text that has just changed. */
const WAIT_MS = 10_000;

export class Exports {
  /**
   * `whenCurrent` resolves to whether the page shows the present text; `words` requests all words of the text; `notify` shows a
   * message.
   */
  constructor(
    private readonly state: () => ExportState,
    private readonly whenCurrent: (timeoutMs: number) => Promise<boolean>,
    private readonly words: () => Promise<readonly LexemeHeat[]>,
    private readonly notify: (message: string) => void,
  ) {
    for (const format of FORMATS) {
      element(`export-${format}`, HTMLButtonElement).addEventListener('click', () => void this.export(format));
    }
  }

  private async export(format: Format): Promise<void> {
    try {
      if (!(await this.whenCurrent(WAIT_MS))) {
        this.notify('Nothing was exported: the analysis of the present text is not finished. Try again in a moment.');
        return;
      }
      const content = await this.content(format);
      if (content) save(content, `${this.state().name}.${format}`);
      else this.notify('Nothing was exported: this pane is empty.');
    } catch (error) {
      this.notify(`The export failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async content(format: Format): Promise<Blob | null> {
    const state = this.state();
    if (format === 'json') return new Blob([toJson(state, await this.words())], { type: 'application/json' });
    const svg = svgOf(state);
    if (format === 'html') {
      const html = toHtml(state.title, state.subtitle, state.text, state.spans, svg, state.isDark);
      return new Blob([html], { type: 'text/html' });
    }
    if (svg === null) return null;
    return format === 'svg' ? new Blob([svg], { type: 'image/svg+xml' }) : toPng(svg);
  }
}
