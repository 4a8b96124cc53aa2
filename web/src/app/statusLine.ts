// The line beside the name: what the server does, how long it took.
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

  /** `null`: it is there. */
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
    // Said once.
    if (this.line.textContent !== text) this.line.textContent = text;
    this.line.dataset.kind = this.link === 'open' || this.link === 'connecting' ? 'well' : 'trouble';
  }

  private text(): string {
    if (this.link === 'unauthorized') return 'The server wants a token.';
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
