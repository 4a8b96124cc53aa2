// The document that the server mirrors: its text goes over once, then edits; after a break of the connection, all of it again.
import type { Change, Range, ViewOptions } from '../generated/live';
import type { Connection } from './connection';
import type { Answers, QuestionKind, Questions } from './messages';

/** A model by its name (the server's default for `null`) and how to look at it. */
export interface Lens {
  model: string | null;
  view: ViewOptions;
}

export class LiveDocument {
  /** Of the text; every heat and every answer carries the one that it is about. */
  version = 0;
  /** Whether the server has it. */
  private isThere = false;
  private range: Range | null = null;

  constructor(
    private readonly connection: Pick<Connection, 'say' | 'ask'>,
    private readonly text: () => string,
    private lens: Lens,
  ) {}

  /** Sends the whole text: to a server that is new, or when it is another text altogether. */
  open(): void {
    this.version++;
    this.isThere = true;
    this.connection.say({
      type: 'open',
      version: this.version,
      text: this.text(),
      view: this.lens.view,
      encoding: 'utf-16',
      ...(this.lens.model === null ? {} : { model: this.lens.model }),
      ...(this.range === null ? {} : { range: this.range }),
    });
  }

  /** `changes` apply one after another, as the server takes them. */
  edit(changes: Change[]): void {
    this.version++;
    if (this.isThere) this.connection.say({ type: 'edit', version: this.version, changes });
  }

  /** What is visible: analyzed first, and only this is told. */
  look(range: Range): void {
    this.range = range;
    if (this.isThere) this.connection.say({ type: 'look', range });
  }

  lookThrough(lens: Lens): void {
    this.lens = lens;
    if (!this.isThere) return;
    this.connection.say({
      type: 'view',
      view: lens.view,
      ...(lens.model === null ? {} : { model: lens.model }),
    });
  }

  /** `null`: nothing is there. Rejects with a `LiveError`. */
  ask<Kind extends QuestionKind>(kind: Kind, question: Questions[Kind], slot?: string): Promise<Answers[Kind] | null> {
    return this.connection.ask(kind, question, slot);
  }

  /** Takes it back from the server. */
  close(): void {
    if (this.isThere) this.connection.say({ type: 'close' });
    this.isThere = false;
  }

  /** The connection broke. */
  lost(): void {
    this.isThere = false;
  }
}
