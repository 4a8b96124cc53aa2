// The line beside the name: the state of the connection and of the analysis.
import type { Link } from '../client/connection';
import { percent } from '../draw/matrix';
import type { Heat } from '../generated/live';
import { duration, shortModel } from '../view/words';
import { element } from './dom';

export class StatusLine {
  private readonly line = element('state', HTMLElement);
  private link: Link = 'connecting';
  private loading: string | null = null;
  private heat: Heat | null = null;

  showLink(link: Link): void {
    this.link = link;
    this.draw();
  }

  /** `null`: the model is loaded. */
  showLoading(model: string | null): void {
    this.loading = model;
    this.draw();
  }

  showHeat(heat: Heat): void {
    this.heat = heat;
    this.draw();
  }

  private draw(): void {
    const text = this.text();
    // Screen readers announce every change.
    if (this.line.textContent !== text) this.line.textContent = text;
    this.line.dataset.kind = this.link === 'open' || this.link === 'connecting' ? 'normal' : 'trouble';
  }

  private text(): string {
    if (this.link === 'unauthorized') return 'The server requires a token.';
    if (this.link === 'refused') return 'The server runs, but it accepts no more live connections; trying again…';
    if (this.link === 'closed') return 'No connection; trying again…';
    if (this.link === 'connecting') return 'Connecting…';
    if (this.loading !== null) return `Loading ${shortModel(this.loading)}…`;
    if (!this.heat) return 'Connected';
    const { view, complete, chunks, analysisMs, sinkShare } = this.heat;
    const model = shortModel(view.model);
    if (!complete) return `${model} · ${chunks.done} of ${chunks.all} chunks`;
    const sinks = view.sinks === 'drop' && sinkShare > 0 ? ` · ${percent(sinkShare)} on <s> and </s>` : '';
    return `${model} · ${duration(analysisMs)}${chunks.all > 1 ? ` · ${chunks.all} chunks` : ''}${sinks}`;
  }
}
