// Outlines of what the word at the cursor attends to, and of what attends to it.
import * as vscode from 'vscode';
import { placeOfSelection } from './currentEditor';
import { isOutdated } from './errors';
import { COLORS } from './names';
import { RELATIONS, type RelatedLexeme } from './protocol';
import type { Session } from './session';
import { settings } from './settings';
import type { Visibility } from './visibility';

const PAUSE_MS = 80;

function outline(color: string, style: string, lane?: vscode.OverviewRulerLane): vscode.TextEditorDecorationType {
  const themeColor = new vscode.ThemeColor(color);
  return vscode.window.createTextEditorDecorationType({
    borderWidth: '2px',
    borderStyle: style,
    borderColor: themeColor,
    borderRadius: '2px',
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    ...(lane === undefined ? {} : { overviewRulerColor: themeColor, overviewRulerLane: lane }),
  });
}

/** Solid: attended to; dashed: attends; double: the word itself. Shared by the cursor and the panel's pointer. */
export class Outlines implements vscode.Disposable {
  private readonly query = outline(COLORS.query, 'double');
  private readonly attendsTo = outline(COLORS.attendsTo, 'solid', vscode.OverviewRulerLane.Center);
  private readonly attendedBy = outline(COLORS.attendedBy, 'dashed', vscode.OverviewRulerLane.Left);
  private shownIn: vscode.TextEditor | null = null;

  show(
    editor: vscode.TextEditor,
    outlined: { query: vscode.Range[]; attendsTo: vscode.Range[]; attendedBy: vscode.Range[] },
  ): void {
    if (this.shownIn !== editor) this.clear();
    this.shownIn = editor;
    editor.setDecorations(this.query, outlined.query);
    editor.setDecorations(this.attendsTo, outlined.attendsTo);
    editor.setDecorations(this.attendedBy, outlined.attendedBy);
  }

  clear(): void {
    for (const type of [this.query, this.attendsTo, this.attendedBy]) this.shownIn?.setDecorations(type, []);
    this.shownIn = null;
  }

  dispose(): void {
    for (const type of [this.query, this.attendsTo, this.attendedBy]) type.dispose();
  }
}

export class CursorAttention implements vscode.Disposable {
  private readonly outlines = new Outlines();
  private readonly subscriptions: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;
  private asked: vscode.CancellationTokenSource | undefined;

  constructor(
    private readonly session: Session,
    private readonly visibility: Visibility,
  ) {
    this.subscriptions = [
      visibility.onChange(() => this.schedule(0)),
      vscode.window.onDidChangeTextEditorSelection(() => this.schedule(PAUSE_MS)),
      vscode.window.onDidChangeActiveTextEditor(() => this.schedule(0)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document === vscode.window.activeTextEditor?.document) this.schedule(settings.debounceMs());
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('codegaze')) this.schedule(0);
      }),
      session.onHeatmapChanged(() => this.schedule(0)),
      session.onRunning(() => this.schedule(0)),
    ];
    this.schedule(0);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.asked?.cancel();
    this.outlines.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    this.asked?.cancel();
    if (!settings.hasCursorAttention()) this.outlines.clear();
    else this.timer = setTimeout(() => void this.update(), delayMs);
  }

  private async update(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const client = this.session.running;
    if (!editor || !client || !this.visibility.isShown(editor.document)) {
      this.outlines.clear();
      return;
    }
    const { document } = editor;
    const version = document.version;
    const asked = new vscode.CancellationTokenSource();
    this.asked = asked;
    try {
      const result = await client.sendRequest(
        RELATIONS,
        {
          ...client.code2ProtocolConverter.asTextDocumentPositionParams(document, placeOfSelection(editor.selection)),
          limit: settings.highlightLimit(),
        },
        asked.token,
      );
      if (asked.token.isCancellationRequested || document.version !== version) return;
      if (result === null) {
        this.outlines.clear();
        return;
      }
      if (result.version !== version) return;
      const threshold = settings.highlightThreshold();
      const ranges = (ends: RelatedLexeme[]) =>
        ends
          .filter(({ weight }) => weight >= threshold)
          .map(({ range }) => client.protocol2CodeConverter.asRange(range));
      this.outlines.show(editor, {
        query: [client.protocol2CodeConverter.asRange(result.lexeme.range)],
        attendsTo: ranges(result.attendsTo),
        attendedBy: ranges(result.attendedBy),
      });
    } catch (error) {
      if (asked.token.isCancellationRequested || isOutdated(error)) return;
      this.session.log.warn('no attention for the word at the cursor', error);
    } finally {
      asked.dispose();
    }
  }
}
