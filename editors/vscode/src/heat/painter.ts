// Keeps the heat of the visible editors in step with their text.

import * as vscode from 'vscode';
import { byLevel, decode, dim, type Span } from '../../../../web/src/view/heat';
import { isOutdated } from '../errors';
import { LEVELS, type Style } from '../names';
import { HEATMAP, type HeatmapResult } from '../protocol';
import type { Session } from '../session';
import { isAnalyzed, settings } from '../settings';
import { createHeatTypes, type HeatTypes } from './styles';

/** Lines above and below the visible ones, so that scrolling finds its heat painted. */
const MARGIN = 200;
const SCROLL_PAUSE_MS = 80;
/** The server gives up on a question after its deadline, without news to follow. */
const RETRY_MS = 1000;

/** What one editor shows and awaits. */
interface Painted {
  timer?: NodeJS.Timeout;
  asked?: vscode.CancellationTokenSource;
  /** Lines that the latest painting covers, and of which version. */
  covers?: { version: number; first: number; last: number };
}

const toRange = ({ line, start, end }: Span) => new vscode.Range(line, start, line, end);

export class HeatPainter implements vscode.Disposable {
  private types: HeatTypes;
  private style: Style;
  private readonly editors = new Map<vscode.TextEditor, Painted>();
  private readonly subscriptions: vscode.Disposable[];
  /** Switched by the toggle; the setting `enabled` is per language and stays. */
  private isOn = true;

  constructor(private readonly session: Session) {
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
      session.onHeatmapChanged(({ uri }) => this.repaintDocument(this.fromProtocol(uri), 0)),
      session.onRunning(() => this.repaintAll()),
      session.onStatus((status) => {
        if (status === null) this.clearAll();
      }),
    ];
    this.followEditors();
  }

  get isShown(): boolean {
    return this.isOn;
  }

  toggle(): void {
    this.isOn = !this.isOn;
    this.repaintAll();
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
        this.editors.set(editor, {});
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
  }

  private isWanted(document: vscode.TextDocument): boolean {
    return this.isOn && this.style !== 'off' && isAnalyzed(document) && settings.isEnabled(document);
  }

  private async paint(editor: vscode.TextEditor, painted: Painted): Promise<void> {
    const { document } = editor;
    const client = this.session.running;
    if (!client || !this.isWanted(document)) {
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
      // Stale answers are dropped: what is painted moves with the text until the right one comes.
      if (asked.token.isCancellationRequested || result === null) return;
      if (result.version !== version || document.version !== version) return;
      this.show(editor, result, lines);
      painted.covers = { version, ...lines };
    } catch (error) {
      if (asked.token.isCancellationRequested) return;
      if (isOutdated(error)) this.schedule(editor, RETRY_MS);
      else this.session.log.warn(`no heat for ${document.uri.toString()}`, error);
    }
  }

  private show(editor: vscode.TextEditor, result: HeatmapResult, lines: { first: number; last: number }): void {
    const spans = decode(result.data);
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
