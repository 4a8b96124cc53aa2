// The heatmap panel: requests the matrix at the cursor from the server, and connects the page with the editor.

import * as vscode from 'vscode';
import type { Range } from 'vscode-languageclient/node';
import { percent } from '../../../../web/src/draw/matrix';
import { tokenAt } from '../../../../web/src/view/tokens';
import { describeView } from '../../../../web/src/view/words';
import { placeOfSelection } from '../currentEditor';
import { Outlines } from '../cursorAttention';
import { isOutdated, messageOf } from '../errors';
import { saveHeatmap } from '../exportHeatmap';
import { CONTEXTS, PANEL_TYPE } from '../names';
import { MATRIX, type MatrixResult, MODEL, type ModelResult, THUMBNAILS, type ViewOptions } from '../protocol';
import type { Session } from '../session';
import { isAnalyzed, isHighContrast, settings } from '../settings';
import { legend } from '../words';
import { controls } from './controls';
import { matrixData } from './exportMatrix';
import { drawn, heading, lineWords, whyCut } from './headings';
import { createNonce, page } from './html';
import { type FromPanel, INITIAL_STATE, type PanelFormat, type PanelState, type ToPanel } from './messages';

const FOLLOW_PAUSE_MS = 120;
const RETRY_MS = 1000;
const THUMBNAIL_CELLS = 48;
/** Parts of the state that change no request. */
const DRAWING_ONLY = ['zoom', 'scaling'];

export class HeatmapPanels implements vscode.Disposable {
  private current: HeatmapPanel | null = null;
  private readonly serializer: vscode.Disposable;

  constructor(
    private readonly session: Session,
    private readonly extensionUri: vscode.Uri,
  ) {
    this.serializer = vscode.window.registerWebviewPanelSerializer(PANEL_TYPE, {
      deserializeWebviewPanel: async (webviewPanel, state: PanelState | undefined) => {
        this.adopt(webviewPanel, { ...INITIAL_STATE, ...state });
      },
    });
  }

  /** One panel, used again. */
  show(place: { uri: vscode.Uri; range: Range } | undefined): void {
    if (!place) {
      void vscode.window.showInformationMessage(vscode.l10n.t('Codegaze: open a source file first, then its heatmap.'));
      return;
    }
    void vscode.commands.executeCommand('setContext', CONTEXTS.heatmapShown, true);
    const at = { uri: place.uri.toString(), line: place.range.start.line, character: place.range.start.character };
    if (this.current) {
      this.current.reveal(at);
      return;
    }
    const webviewPanel = vscode.window.createWebviewPanel(
      PANEL_TYPE,
      vscode.l10n.t('Attention heatmap'),
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      this.options(),
    );
    this.adopt(webviewPanel, { ...INITIAL_STATE, ...at });
  }

  dispose(): void {
    this.serializer.dispose();
    this.current?.dispose();
  }

  private options(): vscode.WebviewOptions {
    return { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(this.extensionUri, 'dist', 'panel')] };
  }

  private adopt(webviewPanel: vscode.WebviewPanel, state: PanelState): void {
    this.current?.dispose();
    webviewPanel.webview.options = this.options();
    const panel = new HeatmapPanel(this.session, webviewPanel, this.extensionUri, state);
    this.current = panel;
    webviewPanel.onDidDispose(() => {
      panel.release();
      if (this.current === panel) this.current = null;
    });
  }
}

class HeatmapPanel {
  private readonly outlines = new Outlines();
  private readonly subscriptions: vscode.Disposable[] = [];
  private timer: NodeJS.Timeout | undefined;
  private asked: vscode.CancellationTokenSource | undefined;
  private result: MatrixResult | null = null;
  private isReady = false;

  constructor(
    private readonly session: Session,
    private readonly panel: vscode.WebviewPanel,
    extensionUri: vscode.Uri,
    private state: PanelState,
  ) {
    const { webview } = panel;
    const resource = (name: string) =>
      webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, 'dist', 'panel', name)).toString();
    webview.html = page({
      nonce: createNonce(),
      cspSource: webview.cspSource,
      scriptUri: resource('panel.js'),
      styleUri: resource('style.css'),
      language: vscode.env.language,
    });
    this.subscriptions.push(
      webview.onDidReceiveMessage((message: FromPanel) => void this.received(message)),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.follow(textEditor)),
      vscode.window.onDidChangeActiveTextEditor((editor) => editor && this.follow(editor)),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length === 0 || document.uri.toString() !== this.state.uri) return;
        this.outlines.clear();
        this.refresh(settings.debounceMs());
      }),
      session.onHeatmapChanged(({ uri }) => {
        const changed = session.running?.protocol2CodeConverter.asUri(uri).toString() ?? uri;
        if (changed === this.state.uri) this.refresh(0);
      }),
      session.onRunning(() => this.refresh(0)),
      session.onStatus(() => {
        this.compareViews();
        this.showLegend();
      }),
      vscode.window.onDidChangeActiveColorTheme(() => this.showLegend()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('codegaze.style')) this.showLegend();
      }),
    );
  }

  reveal(at: Pick<PanelState, 'uri' | 'line' | 'character'>): void {
    this.panel.reveal(undefined, true);
    this.setState(at);
    this.refresh(0);
  }

  dispose(): void {
    this.panel.dispose();
  }

  /** After the page is gone. */
  release(): void {
    clearTimeout(this.timer);
    this.asked?.cancel();
    this.outlines.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private post(message: ToPanel): void {
    void this.panel.webview.postMessage(message);
  }

  /** The page keeps the state, so that it survives a reload. */
  private setState(state: Partial<PanelState>): void {
    this.state = { ...this.state, ...state };
    this.post({ type: 'state', state: this.state });
  }

  private showLegend(): void {
    const style = settings.style();
    const text = legend(style, isHighContrast(), this.session.status?.view?.aggregate ?? null);
    this.post({ type: 'legend', text, hasSwatches: style === 'background' });
  }

  private async received(message: FromPanel): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.isReady = true;
        this.setState({});
        this.showLegend();
        this.refresh(0);
        break;
      case 'choose': {
        const isDrawingOnly = Object.keys(message.state).every((key) => DRAWING_ONLY.includes(key));
        this.setState(message.state);
        if (!isDrawingOnly) this.refresh(0);
        break;
      }
      case 'point':
        this.light(message.cell);
        break;
      case 'jump':
        await this.jump(message.index);
        break;
      case 'export-data':
        await this.exportData();
        break;
      case 'export-picture':
        await this.save(message.format, message.content);
        break;
      case 'failed':
        void vscode.window.showErrorMessage(vscode.l10n.t('Codegaze: {0}', message.text));
        break;
      case 'choose-aggregate':
        await this.setSourceView({ aggregate: message.aggregate });
        break;
      case 'show-in-source':
        await this.showInSource();
        break;
      case 'show-source-view':
        this.setState({ method: null, layer: null, head: 'mean' });
        this.refresh(0);
        break;
    }
  }

  private async exportData(): Promise<void> {
    const { result } = this;
    if (!result) return;
    const words = drawn(result, this.state.part);
    const name = vscode.workspace.asRelativePath(vscode.Uri.parse(this.state.uri));
    await this.save('json', Buffer.from(`${JSON.stringify(matrixData(name, result, words))}\n`));
  }

  private async save(format: PanelFormat, content: Uint8Array): Promise<void> {
    await saveHeatmap(vscode.Uri.parse(this.state.uri), format, async () => content);
  }

  /** Makes the panel's view the view of all documents. */
  private async showInSource(): Promise<void> {
    if (!this.result) return;
    const { method, layers, heads } = this.result.view;
    await this.setSourceView({ method, layers, heads });
  }

  private async setSourceView(options: ViewOptions): Promise<void> {
    try {
      await this.session.setView(options);
    } catch (error) {
      void vscode.window.showErrorMessage(vscode.l10n.t('Codegaze: {0}', messageOf(error)));
    }
  }

  /** Shows in the panel whether the source has another view. */
  private compareViews(): void {
    const source = this.session.status?.view;
    const panel = this.result?.view;
    const isSame = !source || !panel || describeView(source) === describeView(panel);
    const text = isSame ? null : vscode.l10n.t('The source shows another view: {0}.', describeView(source));
    this.post({ type: 'source-view', text });
  }

  private view(): ViewOptions {
    const { method, layer, head } = this.state;
    return {
      ...(method === null ? {} : { method, layers: null }),
      ...(layer === null ? {} : { layers: layer }),
      ...(method === null && layer === null && head === 'mean' ? {} : { heads: head }),
    };
  }

  private editor(): vscode.TextEditor | undefined {
    return vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === this.state.uri);
  }

  private follow(editor: vscode.TextEditor): void {
    if (!this.state.isFollowing || !isAnalyzed(editor.document)) return;
    const { line, character } = placeOfSelection(editor.selection);
    const uri = editor.document.uri.toString();
    if (uri === this.state.uri && line === this.state.line && character === this.state.character) return;
    this.setState({ uri, line, character });
    this.refresh(FOLLOW_PAUSE_MS);
  }

  private refresh(delayMs: number): void {
    if (!this.isReady) return;
    clearTimeout(this.timer);
    this.asked?.cancel();
    this.timer = setTimeout(() => void this.update(), delayMs);
  }

  private async update(): Promise<void> {
    const client = this.session.running;
    if (!client) {
      this.nothing(vscode.l10n.t('The Codegaze server is not running.'));
      return;
    }
    const asked = new vscode.CancellationTokenSource();
    this.asked = asked;
    this.post({ type: 'busy' });
    try {
      // A document without an editor is not open to the server.
      const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(this.state.uri));
      const position = { line: this.state.line, character: this.state.character };
      const textDocument = client.code2ProtocolConverter.asTextDocumentIdentifier(document);
      const [model, result] = await Promise.all([
        client.sendRequest(MODEL, {}, asked.token),
        client.sendRequest(MATRIX, { textDocument, position, view: this.view(), unit: this.state.unit }, asked.token),
      ]);
      if (asked.token.isCancellationRequested) return;
      if (result === null) {
        this.nothing(
          model.state === 'ready'
            ? vscode.l10n.t('There is nothing to draw: no code here, or a document that is not analyzed.')
            : vscode.l10n.t('The model is not loaded yet. {0}', model.message ?? ''),
        );
        return;
      }
      this.result = result;
      this.showMatrix(document, model, result);
      if (this.state.hasThumbnails) {
        const maps = await client.sendRequest(
          THUMBNAILS,
          { textDocument, chunk: result.chunk, size: THUMBNAIL_CELLS },
          asked.token,
        );
        if (maps && !asked.token.isCancellationRequested) {
          this.post({ type: 'maps', layers: maps.layers, heads: maps.heads, size: maps.size, cells: maps.cells });
        }
      }
    } catch (error) {
      if (asked.token.isCancellationRequested) return;
      if (isOutdated(error)) {
        this.refresh(RETRY_MS);
        return;
      }
      this.session.log.warn('no matrix', error);
      this.nothing(messageOf(error));
    }
  }

  private nothing(text: string): void {
    this.result = null;
    this.post({ type: 'nothing', text });
  }

  private showMatrix(document: vscode.TextDocument, model: ModelResult, result: MatrixResult): void {
    const words = drawn(result, this.state.part);
    const { from, to } = words;
    const { view } = result;
    const name = document.uri.path.split('/').at(-1) ?? '';
    this.panel.title = vscode.l10n.t('Heatmap: {0}', name);
    const title = heading(name, words);
    const described = `${view.model}: ${describeView(view)}`;
    const chunk = vscode.l10n.t('chunk {0} of {1}', result.chunk + 1, result.chunks);
    const subtitle = result.chunks > 1 ? `${described} · ${chunk}` : described;
    this.post({
      type: 'matrix',
      title,
      note: whyCut(words, result.chunk, result.chunks),
      subtitle,
      description: vscode.l10n.t('Attention matrix of {0} words, {1}. {2}', to - from, title, subtitle),
      labels: result.tokens.map(({ label }) => label),
      places: result.tokens.map(({ range }) => (range ? lineWords(range.start.line + 1) : '')),
      itself: vscode.l10n.t('itself'),
      weights: result.weights,
      max: result.max,
      from,
      to,
      hasDefinition: result.definition !== null,
      sinks: sinksText(result),
      view: { layers: view.layers, heads: view.heads },
      controls: controls(view, model),
    });
    this.compareViews();
    this.post({ type: 'cursor', index: this.cursorIndex(result) });
  }

  private cursorIndex(result: MatrixResult): number | null {
    return tokenAt(result.tokens, this.state);
  }

  /** Ranges of the result are those of its version alone. */
  private isCurrent(document: vscode.TextDocument): boolean {
    return this.result?.version === document.version;
  }

  private light(cell: { query: number; key: number } | null): void {
    const editor = this.editor();
    const client = this.session.running;
    if (!cell || !editor || !client || !this.isCurrent(editor.document)) {
      this.outlines.clear();
      return;
    }
    const ranges = (index: number) => {
      const range = this.result?.tokens[index]?.range;
      return range ? [client.protocol2CodeConverter.asRange(range)] : [];
    };
    const query = ranges(cell.query);
    const key = cell.key === cell.query ? [] : ranges(cell.key);
    this.outlines.show(editor, { query, attendsTo: key, attendedBy: [] });
    const first = key[0] ?? query[0];
    if (first) editor.revealRange(first, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  private async jump(index: number): Promise<void> {
    const range = this.result?.tokens[index]?.range;
    const client = this.session.running;
    if (!range || !client) return;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(this.state.uri));
    if (!this.isCurrent(document)) return;
    const viewColumn = this.editor()?.viewColumn ?? vscode.ViewColumn.One;
    const selection = client.protocol2CodeConverter.asRange(range);
    await vscode.window.showTextDocument(document, { viewColumn, selection });
  }
}

function sinksText({ view, sinkShare }: MatrixResult): string {
  if (view.sinks !== 'drop' || sinkShare <= 0) return '';
  return vscode.l10n.t(
    '{0} of the attention went to <s> and </s>; it is left out, and rows are shares of the rest.',
    percent(sinkShare),
  );
}
