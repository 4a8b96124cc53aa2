// The document that the server mirrors. The page sends the whole text once, and then edits; after a reconnection, the whole text again.
import type { Change, Range, ViewOptions } from '../generated/live';
import type { Connection } from './connection';
import type { Answers, QuestionKind, Questions } from './messages';

/** A model by its name (`null`: the server's default) and a view. */
export interface ModelAndView {
  model: string | null;
  view: ViewOptions;
}

export class LiveDocument {
  /** The version of the text. All heat and every answer names the version that it belongs to. */
  version = 0;
  /** An id as in the Language Server Protocol. `null`: unknown. Sent with the whole text. */
  language: string | null = null;
  /** Whether the server has the text. */
  private isOpen = false;
  private range: Range | null = null;

  constructor(
    private readonly connection: Pick<Connection, 'send' | 'ask'>,
    private readonly text: () => string,
    private modelAndView: ModelAndView,
  ) {}

  /** Sends the whole text. */
  open(): void {
    this.version++;
    this.isOpen = true;
    this.connection.send({
      type: 'open',
      version: this.version,
      text: this.text(),
      view: this.modelAndView.view,
      encoding: 'utf-16',
      ...(this.language === null ? {} : { language: this.language }),
      ...(this.modelAndView.model === null ? {} : { model: this.modelAndView.model }),
      ...(this.range === null ? {} : { range: this.range }),
    });
  }

  /** Sends the whole text again, if the server has it. */
  reopen(): void {
    if (this.isOpen) this.open();
  }

  /** `changes` apply one after another. */
  edit(changes: Change[]): void {
    this.version++;
    if (this.isOpen) this.connection.send({ type: 'edit', version: this.version, changes });
  }

  /** The visible part, which the server analyzes first. */
  look(range: Range): void {
    this.range = range;
    if (this.isOpen) this.connection.send({ type: 'look', range });
  }

  setView(modelAndView: ModelAndView): void {
    this.modelAndView = modelAndView;
    if (!this.isOpen) return;
    this.connection.send({
      type: 'view',
      view: modelAndView.view,
      ...(modelAndView.model === null ? {} : { model: modelAndView.model }),
    });
  }

  /** Resolves to `null` if there is nothing at that place. Rejects with a `LiveError`. */
  ask<Kind extends QuestionKind>(kind: Kind, question: Questions[Kind], slot?: string): Promise<Answers[Kind] | null> {
    return this.connection.ask(kind, question, slot);
  }

  /** Removes the document from the server. What the server still sends about it is outdated. */
  close(): void {
    this.version++;
    if (this.isOpen) this.connection.send({ type: 'close' });
    this.isOpen = false;
  }

  /** The connection broke. */
  lost(): void {
    this.isOpen = false;
  }
}
