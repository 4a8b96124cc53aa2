// Paints the heat of the visible editors, and keeps it up to date with their text.

import * as vscode from 'vscode';
import { byLevel, decode, dim, type Span } from '../../../../web/src/view/heat';
import { isOutdated } from '../errors';
import { LEVELS, type Style } from '../names';
import { HEATMAP, type HeatmapResult } from '../protocol';
import type { Session } from '../session';
import { settings } from '../settings';
import type { Visibility } from '../visibility';
import { createHeatTypes, type HeatTypes } from './styles';

/** Lines above and below the visible ones, so that scrolling finds its heat painted. */
const MARGIN = 200;
const SCROLL_PAUSE_MS = 80;
/** After a request that took longer than the server's deadline. */
const RETRY_MS = 1000;
/** Between two paintings of a document that is still being analyzed. */
const PARTIAL_PAUSE_MS = 250;

/** What one editor shows and awaits. */
interface Painted {
  timer?: NodeJS.Timeout;
  asked?: vscode.CancellationTokenSource;
  /** More of the document was analyzed while an answer was awaited. */
  hasMore?: boolean;
  /** Words of the two highest levels, for the overview ruler and "next hot word". */
  hot: vscode.Range[];
  /** Lines that the latest painting covers, and of which version. */
  covers?: { version: number; first: number; last: number };
}

/** Words of this level and above are hot. */
const HOT_LEVEL = 4;
/** More marks would fill the ruler. */
const MAX_RULER_MARKS = 2000;

const toRange = ({ line, start, end }: Span) => new vscode.Range(line, start, line, end);

export class HeatPainter implements vscode.Disposable {
  private types: HeatTypes;
  private style: Style;
  private readonly editors = new Map<vscode.TextEditor, Painted>();
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly session: Session,
    private readonly visibility: Visibility,
  ) {
    this.style = settings.style();
    this.types = createHeatTypes(this.style);
    this.subscriptions = [
      vscode.window.onDidChangeVisibleTextEditors(() => this.followEditors()),
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) => this.scrolled(textEditor)),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.repaintDocument(document.uri.toString(), settings.debounceMs());
      }),
      // Another language, another answer to whether there is heat at all.
      vscode.workspace.onDidOpenTextDocument((document) => this.repaintDocument(document.uri.toString(), 0)),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('codegaze')) this.settingsChanged();
      }),
      session.onHeatmapChanged(({ uri, complete }) => this.heatmapChanged(this.fromProtocol(uri), complete)),
      visibility.onChange(() => this.repaintAll()),
      session.onRunning(() => this.repaintAll()),
      session.onStatus((status) => {
        if (status === null) this.clearAll();
      }),
    ];
    this.followEditors();
  }

  /** Whether heat is drawn in a document. */
  isShown(document: vscode.TextDocument): boolean {
    return this.style !== 'off' && this.visibility.isShown(document);
  }

  /** Moves the cursor to the next word of the two highest levels, or to the previous one; after the last comes the first. */
  goToHotWord(step: 1 | -1): void {
    const editor = vscode.window.activeTextEditor;
    const hot = editor && this.editors.get(editor)?.hot;
    if (!editor || !hot || hot.length === 0) {
      vscode.window.setStatusBarMessage(vscode.l10n.t('Codegaze: no word of level 4 or 5 here'), 3000);
      return;
    }
    const here = editor.selection.start;
    const range =
      step > 0
        ? (hot.find(({ start }) => start.isAfter(here)) ?? hot[0])
        : ([...hot].reverse().find(({ start }) => start.isBefore(here)) ?? hot.at(-1));
    if (!range) return;
    editor.selection = new vscode.Selection(range.start, range.start);
    editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  repaintAll(): void {
    for (const editor of this.editors.keys()) this.schedule(editor, 0);
  }

  dispose(): void {
    for (const painted of this.editors.values()) this.forget(painted);
    this.editors.clear();
    this.types.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private fromProtocol(uri: string): string {
    return this.session.running?.protocol2CodeConverter.asUri(uri).toString() ?? uri;
  }

  private settingsChanged(): void {
    const style = settings.style();
    if (style !== this.style) {
      this.style = style;
      this.types.dispose();
      this.types = createHeatTypes(style);
    }
    this.repaintAll();
  }

  private followEditors(): void {
    const visible = new Set(vscode.window.visibleTextEditors);
    for (const [editor, painted] of this.editors) {
      if (!visible.has(editor)) {
        this.forget(painted);
        this.editors.delete(editor);
      }
    }
    for (const editor of visible) {
      if (!this.editors.has(editor)) {
        this.editors.set(editor, { hot: [] });
        this.schedule(editor, 0);
      }
    }
  }

  private scrolled(editor: vscode.TextEditor): void {
    const covers = this.editors.get(editor)?.covers;
    const visible = linesOf(editor, 0);
    const isCovered =
      covers?.version === editor.document.version && covers.first <= visible.first && visible.last <= covers.last;
    if (!isCovered) this.schedule(editor, SCROLL_PAUSE_MS);
  }

  private repaintDocument(uri: string, delayMs: number): void {
    for (const editor of this.editors.keys()) {
      if (editor.document.uri.toString() === uri) this.schedule(editor, delayMs);
    }
  }

  /** Chunks of a long document become ready faster than they can be painted: an answer is awaited before the next request. */
  private heatmapChanged(uri: string, isComplete: boolean): void {
    for (const [editor, painted] of this.editors) {
      if (editor.document.uri.toString() !== uri) continue;
      if (!isComplete && painted.asked) painted.hasMore = true;
      else if (!isComplete && painted.covers?.version === editor.document.version) {
        if (!painted.hasMore) this.schedule(editor, PARTIAL_PAUSE_MS);
        painted.hasMore = true;
      } else this.schedule(editor, 0);
    }
  }

  private schedule(editor: vscode.TextEditor, delayMs: number): void {
    const painted = this.editors.get(editor);
    if (!painted) return;
    this.forget(painted);
    painted.timer = setTimeout(() => void this.paint(editor, painted), delayMs);
  }

  private forget(painted: Painted): void {
    clearTimeout(painted.timer);
    painted.asked?.cancel();
    painted.asked?.dispose();
    delete painted.asked;
    delete painted.hasMore;
  }

  private async paint(editor: vscode.TextEditor, painted: Painted): Promise<void> {
    const { document } = editor;
    const client = this.session.running;
    if (!client || !this.isShown(document)) {
      this.clear(editor, painted);
      return;
    }
    const version = document.version;
    const lines = linesOf(editor, MARGIN);
    const asked = new vscode.CancellationTokenSource();
    painted.asked = asked;
    try {
      const result = await client.sendRequest(
        HEATMAP,
        {
          textDocument: client.code2ProtocolConverter.asTextDocumentIdentifier(document),
          range: { start: { line: lines.first, character: 0 }, end: { line: lines.last + 1, character: 0 } },
        },
        asked.token,
      );
      // An outdated answer is discarded. The heat that is painted moves with the text until the next answer.
      if (asked.token.isCancellationRequested || result === null) return;
      if (result.version !== version || document.version !== version) return;
      if (painted.asked === asked) delete painted.asked;
      this.show(editor, painted, result, lines);
      painted.covers = { version, ...lines };
      const hasMore = painted.hasMore;
      delete painted.hasMore;
      if (hasMore && !result.complete) this.schedule(editor, PARTIAL_PAUSE_MS);
    } catch (error) {
      if (asked.token.isCancellationRequested) return;
      if (isOutdated(error)) this.schedule(editor, RETRY_MS);
      else this.session.log.warn(`no heat for ${document.uri.toString()}`, error);
    }
  }

  private show(
    editor: vscode.TextEditor,
    painted: Painted,
    result: HeatmapResult,
    lines: { first: number; last: number },
  ): void {
    const spans = decode(result.data);
    // Words outside of the lines that were asked for stay as they are.
    const isOutside = ({ start }: vscode.Range) => start.line < lines.first || start.line > lines.last;
    const kept = painted.covers?.version === result.version ? painted.hot.filter(isOutside) : [];
    painted.hot = [...kept, ...spans.filter(({ level }) => level >= HOT_LEVEL).map(toRange)].sort((a, b) =>
      a.start.compareTo(b.start),
    );
    editor.setDecorations(
      this.types.ruler,
      painted.hot.length > MAX_RULER_MARKS ? [] : spans.filter(({ level }) => level === 5).map(toRange),
    );
    const minLevel = settings.minLevel();
    const lists = byLevel(spans, minLevel);
    for (const level of LEVELS) {
      const type = this.types.levels.get(level);
      if (type) editor.setDecorations(type, lists[level].map(toRange));
    }
    if (this.types.dimmed) {
      const { document } = editor;
      const isScored = (line: number) =>
        !result.unscored.some(
          ({ start, end }) => start.line <= line && (line < end.line || (line === end.line && end.character > 0)),
        );
      const dimmed = dim(spans, minLevel, lines, (line) => document.lineAt(line).text.length, isScored);
      editor.setDecorations(this.types.dimmed.half, dimmed.half.map(toRange));
      editor.setDecorations(this.types.dimmed.far, dimmed.far.map(toRange));
    }
  }

  private clear(editor: vscode.TextEditor, painted: Painted): void {
    delete painted.covers;
    painted.hot = [];
    editor.setDecorations(this.types.ruler, []);
    for (const type of this.types.levels.values()) editor.setDecorations(type, []);
    if (this.types.dimmed) {
      editor.setDecorations(this.types.dimmed.half, []);
      editor.setDecorations(this.types.dimmed.far, []);
    }
  }

  private clearAll(): void {
    for (const [editor, painted] of this.editors) {
      this.forget(painted);
      this.clear(editor, painted);
    }
  }
}

/** Visible lines and `margin` more on both sides; folded ones in between included. */
function linesOf(editor: vscode.TextEditor, margin: number): { first: number; last: number } {
  const ranges = editor.visibleRanges;
  const first = Math.min(...ranges.map((range) => range.start.line), editor.document.lineCount - 1);
  const last = Math.max(...ranges.map((range) => range.end.line), 0);
  return { first: Math.max(0, first - margin), last: Math.min(editor.document.lineCount - 1, last + margin) };
}
