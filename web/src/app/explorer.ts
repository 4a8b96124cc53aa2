// The page's state. It sends changes to the server, and reports answers to the editor and the panes.
import { Connection, type Link, type LiveError, type Refusal } from '../client/connection';
import { LiveDocument } from '../client/liveDocument';
import type { Hello } from '../client/messages';
import type { Editor } from '../editor/editor';
import type { Outline } from '../editor/heat';
import type { LanguageId } from '../editor/languages';
import type {
  Change,
  Heat,
  LexemeHeat,
  MatrixResult,
  Model,
  Position,
  RelationsResult,
  SummaryResult,
  ThumbnailsResult,
} from '../generated/live';
import { decode, type HotSpan } from '../view/heat';
import { modelOf } from './pickers';
import { LatestQuestion } from './questions';
import { isViewOf, type Pane, type Settings, sameView, supported, type ViewChoice, viewOptions } from './settings';

export interface ExplorerEvents {
  onModels(models: readonly Model[]): void;
  onSettings(settings: Settings): void;
  onLink(link: Link): void;
  /** `null`: the model is loaded. */
  onLoading(model: string | null): void;
  onHeat(heat: Heat): void;
  /** The open pane waits for an answer. */
  onBusy(): void;
  /** Whether the open pane and the line below the editor show the present text. */
  onCurrent(current: { pane: boolean; word: boolean }): void;
  /** `null`: the problem is over. */
  onTrouble(text: string | null): void;
  /** A message that stays until the user does something. */
  onNotice(text: string): void;
  onMatrix(answer: MatrixResult | null): void;
  onThumbnails(answer: ThumbnailsResult | null): void;
  onSummary(answer: SummaryResult | null): void;
  onCompared(a: MatrixResult | null, b: MatrixResult | null): void;
  /** `isTyping`: the word changed because the user typed, and not because the user moved the cursor. */
  onWord(answer: RelationsResult | null, isTyping: boolean): void;
  onEdited(): void;
}

const TYPING_PAUSE_MS = 120;
const CURSOR_PAUSE_MS = 80;
/** Lines above and below the visible ones that the server analyzes first, so that scrolling shows heat at once. */
const MARGIN = 200;
const WORD_LIMIT = 50;
/** The page outlines at most `OUTLINES` words of at least this weight. */
const OUTLINE_WEIGHT = 0.02;
const OUTLINES = 5;

export class Explorer {
  models: readonly Model[] = [];
  heat: Heat | null = null;
  word: RelationsResult | null = null;
  private readonly connection: Connection;
  private readonly document: LiveDocument;
  private readonly panes = new LatestQuestion<() => void>();
  private readonly words = new LatestQuestion<RelationsResult | null>();
  /** The version of the text that each pane shows. */
  private readonly shown = new Map<Pane, number>();
  /** The version of the text that the word at the cursor belongs to. */
  private wordVersion = -1;
  /** The view has changed, and no heat with the new view has arrived. */
  private awaitsHeat = false;
  /** The open pane's question is not answered. */
  private awaitsPane = false;
  private readonly waiting = new Set<() => void>();
  private line = -1;
  private token: string | null = null;
  private isTyping = false;
  private maxTextBytes = Number.POSITIVE_INFINITY;
  /** The text is larger than `maxTextBytes`, so the server does not have it. */
  private isWithheld = false;

  constructor(
    public settings: Settings,
    private readonly editor: Editor,
    language: LanguageId,
    url: string,
    private readonly events: ExplorerEvents,
  ) {
    this.connection = new Connection({
      url,
      diagnose,
      events: {
        onHello: (hello) => this.greeted(hello),
        onHeat: (heat) => this.heated(heat),
        onStatus: ({ state, model }) => void this.loaded(state, model),
        onError: (error) => this.refused(error),
        onLink: (link) => {
          if (link === 'closed' || link === 'refused') this.document.lost();
          events.onLink(link);
        },
      },
    });
    this.document = new LiveDocument(this.connection, () => editor.text, this.modelAndView());
    this.document.language = protocolLanguage(language);
    window.addEventListener('online', () => this.connection.retryNow());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.connection.retryNow();
    });
  }

  authorize(token: string): void {
    this.token = token;
    this.connection.authorize(token);
  }

  /** The user changed a setting. */
  choose(chosen: Partial<Settings>): void {
    const before = this.settings;
    this.settings = { ...before, ...chosen };
    this.events.onSettings(this.settings);
    if (!sameView(before, this.settings)) {
      this.awaitsHeat = true;
      this.document.setView(this.modelAndView());
      this.askWord(0);
    }
    if (before.style !== this.settings.style || before.minLevel !== this.settings.minLevel) this.paint();
    this.askPane(0);
  }

  edited(changes: Change[]): void {
    this.isTyping = true;
    this.word = null;
    this.editor.outline([]);
    this.shown.clear();
    this.wordVersion = -1;
    this.events.onEdited();
    if (!this.fits()) {
      this.withhold();
    } else {
      this.document.edit(changes);
      if (this.isWithheld) this.sendWhole();
      this.askPane(TYPING_PAUSE_MS);
      this.askWord(TYPING_PAUSE_MS);
    }
    this.reportCurrent();
  }

  /** The language of the text, which decides what its definitions are. */
  setLanguage(language: LanguageId): void {
    const id = protocolLanguage(language);
    if (this.document.language === id) return;
    this.document.language = id;
    this.document.reopen();
    this.shown.clear();
    this.wordVersion = -1;
    this.askPane(0);
    this.askWord(0);
    this.reportCurrent();
  }

  /** All words of the text with their numbers, best first. */
  async allWords(): Promise<readonly LexemeHeat[]> {
    const answer = await this.document.ask('summary', { top: this.editor.text.length }, 'words');
    return answer?.top ?? [];
  }

  /** Whether everything on the page belongs to the present text and the present settings. */
  get isCurrent(): boolean {
    const { heat, settings } = this;
    const isHeatCurrent = heat?.version === this.document.version && !this.awaitsHeat;
    return isHeatCurrent && (settings.pane === 'word' ? this.isWordCurrent : this.isPaneCurrent && !this.awaitsPane);
  }

  /** Resolves to whether the page is current, at the latest after `timeoutMs`. */
  whenCurrent(timeoutMs: number): Promise<boolean> {
    if (this.isCurrent) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (isCurrent: boolean) => {
        this.waiting.delete(check);
        clearTimeout(timer);
        resolve(isCurrent);
      };
      const check = () => {
        if (this.isCurrent) end(true);
      };
      const timer = setTimeout(() => end(false), timeoutMs);
      this.waiting.add(check);
    });
  }

  private get isWordCurrent(): boolean {
    return this.wordVersion === this.document.version;
  }

  private get isPaneCurrent(): boolean {
    return this.shown.get(this.settings.pane) === this.document.version;
  }

  private reportCurrent(): void {
    const word = this.isWordCurrent;
    this.events.onCurrent({ pane: this.settings.pane === 'word' ? word : this.isPaneCurrent, word });
    for (const check of [...this.waiting]) check();
  }

  cursorMoved({ line }: Position, isTyping: boolean): void {
    this.isTyping = isTyping;
    this.askWord(CURSOR_PAUSE_MS);
    // The cursor may be in another definition or chunk.
    if (line !== this.line) this.askPane(CURSOR_PAUSE_MS);
    this.line = line;
  }

  scrolled({ first, last }: { first: number; last: number }): void {
    const start = { line: Math.max(0, first - MARGIN), character: 0 };
    this.document.look({ start, end: { line: last + MARGIN, character: 0 } });
  }

  /** Outlines the words at which the pointer is in a pane; for `null`, the partners of the word at the cursor. */
  outline(pointed: readonly Outline[] | null): void {
    this.editor.outline(pointed ?? this.wordOutlines());
  }

  private modelAndView() {
    return { model: this.settings.model, view: viewOptions(this.settings) };
  }

  private greeted(hello: Hello): void {
    this.models = hello.models;
    this.events.onModels(hello.models);
    this.maxTextBytes = hello.maxTextBytes;
    this.adaptToModels();
    this.events.onLoading(null);
    if (!this.fits()) {
      this.withhold();
      return;
    }
    this.sendWhole();
    this.askPane(0);
    this.askWord(0);
    this.reportCurrent();
  }

  private sendWhole(): void {
    this.isWithheld = false;
    this.document.open();
    this.scrolled(this.editor.visibleLines);
    this.events.onTrouble(null);
  }

  /** Whether the text is small enough for the server. */
  private fits(): boolean {
    const { text } = this.editor;
    // A UTF-16 unit takes at most three bytes.
    return 3 * text.length <= this.maxTextBytes || new TextEncoder().encode(text).length <= this.maxTextBytes;
  }

  private withhold(): void {
    this.isWithheld = true;
    this.document.close();
    this.panes.forget();
    this.words.forget();
    const limit = `${Math.floor(this.maxTextBytes / 1024)} kB`;
    this.events.onTrouble(`The text is larger than ${limit}, the limit of this server. Make it shorter.`);
  }

  /** Replaces a model, layer or head that this server does not have. */
  private adaptToModels(): void {
    const adapt = (view: ViewChoice): ViewChoice => {
      const model = modelOf(view, this.models);
      return model ? supported(view, model) : view;
    };
    const { model: wanted } = this.settings;
    const { model, layers, heads } = adapt(this.settings);
    this.settings = { ...this.settings, model, layers, heads, other: adapt(this.settings.other) };
    this.document.setView(this.modelAndView());
    this.events.onSettings(this.settings);
    if (wanted !== null && wanted !== model) {
      this.events.onNotice(`This server does not have the model ${wanted}; it uses ${model}.`);
    }
  }

  private async loaded(state: 'loading' | 'ready', model: string): Promise<void> {
    this.events.onLoading(state === 'loading' ? model : null);
    if (state === 'loading') return;
    // The numbers of layers and heads are known now.
    const answer = await fetchModels(this.token);
    if (!answer?.ok) return;
    this.models = ((await answer.json()) as { models: Model[] }).models;
    this.events.onModels(this.models);
    this.adaptToModels();
    this.askPane(0);
  }

  private heated(heat: Heat): void {
    if (heat.version !== this.document.version) return;
    this.heat = heat;
    if (isViewOf(heat.view, this.settings)) this.awaitsHeat = false;
    this.events.onTrouble(null);
    this.events.onHeat(heat);
    this.paint();
    this.reportCurrent();
  }

  /** The words that the editor shows with heat. */
  get shownSpans(): HotSpan[] {
    return decode(this.heat?.data ?? []).filter(({ level }) => level >= this.settings.minLevel);
  }

  private paint(): void {
    const { heat, settings } = this;
    if (!heat) return;
    this.editor.paint({ spans: this.shownSpans, unscored: heat.unscored, style: settings.style });
  }

  private refused(error: LiveError): void {
    if (error.isOutdated || error.kind === 'model_loading') return;
    // The server's text may differ from the editor's.
    if (error.kind === 'malformed') this.document.open();
    this.events.onTrouble(error.message);
  }

  /** Requests what the open pane shows. */
  private askPane(pauseMs: number): void {
    const pane = this.settings.pane;
    if (pane === 'word') {
      this.reportCurrent();
      return;
    }
    this.awaitsPane = true;
    this.panes.ask(
      {
        ask: () => {
          this.events.onBusy();
          return this.questionOf(pane);
        },
        onAnswer: (show) => show(),
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
    /** Answers about an earlier text are not shown, because every edit repeats the question. */
    const isNow = <T extends { version: number }>(answer: T | null) => answer === null || answer.version === version;
    const showIf = (isCurrent: boolean, show: () => void) => () => {
      if (!isCurrent) return;
      show();
      this.shown.set(pane, version);
      this.awaitsPane = false;
      this.reportCurrent();
    };
    switch (pane) {
      case 'model': {
        const answer = await document.ask('thumbnails', { position });
        return showIf(isNow(answer), () => events.onThumbnails(answer));
      }
      case 'summary': {
        const answer = await document.ask('summary', {});
        return showIf(isNow(answer), () => events.onSummary(answer));
      }
      case 'compare': {
        const { other } = settings;
        const view = viewOptions(other);
        const model = other.model === null ? {} : { model: other.model };
        const [a, b] = await Promise.all([
          document.ask('matrix', { position }, 'a'),
          document.ask('matrix', { position, view, ...model }, 'b'),
        ]);
        return showIf(isNow(a) && isNow(b), () => events.onCompared(a, b));
      }
      default: {
        const answer = await document.ask('matrix', { position, unit: settings.unit });
        return showIf(isNow(answer), () => events.onMatrix(answer));
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
          this.wordVersion = this.document.version;
          this.outline(null);
          this.events.onWord(answer, this.isTyping);
          this.reportCurrent();
        },
        onError: () => {},
      },
      pauseMs,
    );
  }

  private wordOutlines(): Outline[] {
    // Outlines would flicker while the user types.
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

/** `null`: the server recognizes definitions of any language. */
const protocolLanguage = (language: LanguageId): string | null => (language === 'text' ? null : language);

function fetchModels(token: string | null): Promise<Response | null> {
  const headers: HeadersInit = token === null ? {} : { authorization: `Bearer ${token}` };
  return fetch('/models', { headers }).catch(() => null);
}

/** The cause of a failed WebSocket handshake, by a request whose status the browser reports. */
async function diagnose(token: string | null): Promise<Refusal> {
  const answer = await fetchModels(token);
  if (!answer) return 'unreachable';
  return answer.status === 401 ? 'unauthorized' : 'refused';
}
