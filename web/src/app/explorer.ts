// The page's state, and who is told when it changes: the server, the editor, the panes.
import { Connection, type Link, type LiveError } from '../client/connection';
import { LiveDocument } from '../client/liveDocument';
import type { Hello } from '../client/messages';
import type { Editor } from '../editor/editor';
import type { Outline } from '../editor/heat';
import type {
  Change,
  Heat,
  MatrixResult,
  Model,
  Position,
  RelationsResult,
  SummaryResult,
  ThumbnailsResult,
} from '../generated/live';
import { decode } from '../view/heat';
import { modelOf } from './pickers';
import { Asker } from './questions';
import { type Look, type Pane, type Settings, sameLook, suited, viewOptions } from './settings';

export interface ExplorerEvents {
  onModels(models: readonly Model[]): void;
  onSettings(settings: Settings): void;
  onLink(link: Link): void;
  /** `null`: the model is there. */
  onLoading(model: string | null): void;
  onHeat(heat: Heat): void;
  /** Something is under way for the pane that is open. */
  onBusy(): void;
  /** `null`: there is no trouble any more. */
  onTrouble(text: string | null): void;
  /** Something to know that does not pass by itself. */
  onNotice(text: string): void;
  onMatrix(answer: MatrixResult | null): void;
  onThumbnails(answer: ThumbnailsResult | null): void;
  onSummary(answer: SummaryResult | null): void;
  onCompared(a: MatrixResult | null, b: MatrixResult | null): void;
  /** `isTyping`: nobody asked for it by moving there. */
  onWord(answer: RelationsResult | null, isTyping: boolean): void;
  onEdited(): void;
}

const TYPING_PAUSE_MS = 120;
const CURSOR_PAUSE_MS = 80;
/** Lines above and below the visible ones, so that scrolling finds its heat painted. */
const MARGIN = 200;
const WORD_LIMIT = 50;
/** Of what the word at the cursor attends to, so much and so many are outlined. */
const OUTLINE_WEIGHT = 0.02;
const OUTLINES = 5;

export class Explorer {
  models: readonly Model[] = [];
  heat: Heat | null = null;
  word: RelationsResult | null = null;
  private readonly connection: Connection;
  private readonly document: LiveDocument;
  private readonly panes = new Asker<() => void>();
  private readonly words = new Asker<RelationsResult | null>();
  private line = -1;
  private token: string | null = null;
  private isTyping = false;
  private maxTextBytes = Number.POSITIVE_INFINITY;
  /** The text is larger than that, and the server does not have it. */
  private isWithheld = false;

  constructor(
    public settings: Settings,
    private readonly editor: Editor,
    url: string,
    private readonly events: ExplorerEvents,
  ) {
    this.connection = new Connection({
      url,
      needsToken,
      events: {
        onHello: (hello) => this.greeted(hello),
        onHeat: (heat) => this.heated(heat),
        onStatus: ({ state, model }) => void this.loaded(state, model),
        onError: (error) => this.refused(error),
        onLink: (link) => {
          if (link === 'closed') this.document.lost();
          events.onLink(link);
        },
      },
    });
    this.document = new LiveDocument(this.connection, () => editor.text, this.lens());
    window.addEventListener('online', () => this.connection.retryNow());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.connection.retryNow();
    });
  }

  authorize(token: string): void {
    this.token = token;
    this.connection.authorize(token);
  }

  /** Something else was chosen. */
  choose(chosen: Partial<Settings>): void {
    const before = this.settings;
    this.settings = { ...before, ...chosen };
    this.events.onSettings(this.settings);
    if (!sameLook(before, this.settings)) {
      this.document.lookThrough(this.lens());
      this.askWord(0);
    }
    if (before.style !== this.settings.style) this.paint();
    this.askPane(0);
  }

  edited(changes: Change[]): void {
    this.isTyping = true;
    this.word = null;
    this.editor.outline([]);
    this.events.onEdited();
    if (!this.fits()) {
      this.withhold();
    } else {
      this.document.edit(changes);
      if (this.isWithheld) this.sendWhole();
      this.askPane(TYPING_PAUSE_MS);
      this.askWord(TYPING_PAUSE_MS);
    }
  }

  cursorMoved({ line }: Position, isTyping: boolean): void {
    this.isTyping = isTyping;
    this.askWord(CURSOR_PAUSE_MS);
    // The definition or the chunk may be another.
    if (line !== this.line) this.askPane(CURSOR_PAUSE_MS);
    this.line = line;
  }

  scrolled({ first, last }: { first: number; last: number }): void {
    const start = { line: Math.max(0, first - MARGIN), character: 0 };
    this.document.look({ start, end: { line: last + MARGIN, character: 0 } });
  }

  /** Outlines words that are pointed at elsewhere; without any, what belongs to the word at the cursor. */
  outline(pointed: readonly Outline[] | null): void {
    this.editor.outline(pointed ?? this.wordOutlines());
  }

  private lens() {
    return { model: this.settings.model, view: viewOptions(this.settings) };
  }

  private greeted(hello: Hello): void {
    this.models = hello.models;
    this.events.onModels(hello.models);
    this.maxTextBytes = hello.maxTextBytes;
    this.suit();
    this.events.onLoading(null);
    if (!this.fits()) {
      this.withhold();
      return;
    }
    this.sendWhole();
    this.askPane(0);
    this.askWord(0);
  }

  private sendWhole(): void {
    this.isWithheld = false;
    this.document.open();
    this.scrolled(this.editor.visibleLines);
    this.events.onTrouble(null);
  }

  /** Whether the server would take the text. */
  private fits(): boolean {
    const { text } = this.editor;
    // A UTF-16 unit is three bytes at most.
    return 3 * text.length <= this.maxTextBytes || new TextEncoder().encode(text).length <= this.maxTextBytes;
  }

  private withhold(): void {
    this.isWithheld = true;
    this.document.close();
    this.panes.forget();
    this.words.forget();
    const limit = `${Math.floor(this.maxTextBytes / 1024)} kB`;
    this.events.onTrouble(`The text is larger than the ${limit} that this server takes; make it shorter.`);
  }

  /** A model or a layer that this server does not have gives way to one that it has. */
  private suit(): void {
    const adapt = (look: Look): Look => {
      const model = modelOf(look, this.models);
      return model ? suited(look, model) : look;
    };
    const { model: wanted } = this.settings;
    const { model, layers, heads } = adapt(this.settings);
    this.settings = { ...this.settings, model, layers, heads, other: adapt(this.settings.other) };
    this.document.lookThrough(this.lens());
    this.events.onSettings(this.settings);
    if (wanted !== null && wanted !== model) {
      this.events.onNotice(`This server does not have the model ${wanted}; this is ${model}.`);
    }
  }

  private async loaded(state: 'loading' | 'ready', model: string): Promise<void> {
    this.events.onLoading(state === 'loading' ? model : null);
    if (state === 'loading') return;
    // Now its layers and heads are known.
    const headers: HeadersInit = this.token === null ? {} : { authorization: `Bearer ${this.token}` };
    const answer = await fetch('/models', { headers }).catch(() => null);
    if (!answer?.ok) return;
    this.models = ((await answer.json()) as { models: Model[] }).models;
    this.events.onModels(this.models);
    this.suit();
    this.askPane(0);
  }

  private heated(heat: Heat): void {
    if (heat.version !== this.document.version) return;
    this.heat = heat;
    this.events.onTrouble(null);
    this.events.onHeat(heat);
    this.paint();
  }

  private paint(): void {
    const { heat, settings } = this;
    if (!heat) return;
    this.editor.paint({ spans: decode(heat.data), unscored: heat.unscored, style: settings.style });
  }

  private refused(error: LiveError): void {
    if (error.isOutdated || error.kind === 'model_loading') return;
    // The server's text may be another one now.
    if (error.kind === 'malformed') this.document.open();
    this.events.onTrouble(error.message);
  }

  /** Asks what the open pane shows. */
  private askPane(pauseMs: number): void {
    const pane = this.settings.pane;
    if (pane === 'word') return;
    this.panes.ask(
      {
        ask: () => {
          this.events.onBusy();
          return this.questionOf(pane);
        },
        onAnswer: (tell) => tell(),
        onError: (error) => {
          if (!error.isTemporary) this.events.onTrouble(error.message);
        },
      },
      pauseMs,
    );
  }

  private async questionOf(pane: Pane): Promise<() => void> {
    const { document, events, settings } = this;
    const position = this.editor.cursor;
    const version = document.version;
    /** What is of an earlier text is not shown: the question is asked again for every edit. */
    const isNow = <T extends { version: number }>(answer: T | null) => answer === null || answer.version === version;
    switch (pane) {
      case 'model': {
        const answer = await document.ask('thumbnails', { position });
        return () => isNow(answer) && events.onThumbnails(answer);
      }
      case 'summary': {
        const answer = await document.ask('summary', {});
        return () => isNow(answer) && events.onSummary(answer);
      }
      case 'compare': {
        const { other } = settings;
        const view = viewOptions(other);
        const model = other.model === null ? {} : { model: other.model };
        const [a, b] = await Promise.all([
          document.ask('matrix', { position }, 'a'),
          document.ask('matrix', { position, view, ...model }, 'b'),
        ]);
        return () => isNow(a) && isNow(b) && events.onCompared(a, b);
      }
      default: {
        const answer = await document.ask('matrix', { position, unit: settings.unit });
        return () => isNow(answer) && events.onMatrix(answer);
      }
    }
  }

  private askWord(pauseMs: number): void {
    this.words.ask(
      {
        ask: () => this.document.ask('relations', { position: this.editor.cursor, limit: WORD_LIMIT }),
        onAnswer: (answer) => {
          if (answer && answer.version !== this.document.version) return;
          this.word = answer;
          this.outline(null);
          this.events.onWord(answer, this.isTyping);
        },
        onError: () => {},
      },
      pauseMs,
    );
  }

  private wordOutlines(): Outline[] {
    // Words stay as they are while more of them come.
    if (!this.word || this.isTyping) return [];
    const { lexeme, attendsTo, attendedBy } = this.word;
    const heavy = attendsTo.filter(({ weight }) => weight >= OUTLINE_WEIGHT).slice(0, OUTLINES);
    const by = attendedBy.filter(({ weight }) => weight >= OUTLINE_WEIGHT).slice(0, OUTLINES);
    return [
      { range: lexeme.range, kind: 'query' as const },
      ...heavy.map(({ range }) => ({ range, kind: 'attends-to' as const })),
      ...by.map(({ range }) => ({ range, kind: 'attended-by' as const })),
    ];
  }
}

/** Whether the server, which did not let the WebSocket in, wants a token. */
async function needsToken(): Promise<boolean> {
  const answer = await fetch('/models').catch(() => null);
  return answer?.status === 401;
}
