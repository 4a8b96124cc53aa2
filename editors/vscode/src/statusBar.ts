// The status bar's entry: which model, its state, how long the latest analysis took; a legend on hover.

import * as vscode from 'vscode';
import { describeView } from '../../../web/src/view/words';
import { currentEditor, onCurrentEditor } from './currentEditor';
import { COLORS, COMMANDS, LEVELS } from './names';
import type { Status } from './protocol';
import type { Session } from './session';
import { isAnalyzed, isHighContrast, settings } from './settings';
import { type DocumentState, isModelMissing, legend, statusText } from './words';

const link = (text: string, command: string) => `[${text}](command:${command})`;
const cssVariable = (color: string) => `var(--vscode-${color.replaceAll('.', '-')})`;

export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;
  private readonly subscriptions: vscode.Disposable[];
  /** What is known of each document: the time of its latest analysis, and how much of it is analyzed. */
  private readonly documents = new Map<string, DocumentState>();

  constructor(
    private readonly session: Session,
    private readonly isHeatShown: (document: vscode.TextDocument) => boolean,
  ) {
    this.item = vscode.window.createStatusBarItem('codegaze.status', vscode.StatusBarAlignment.Right, 90);
    this.item.name = 'Codegaze';
    this.subscriptions = [
      session.onStatus((status) => this.statusChanged(status)),
      session.onHeatmapChanged(({ uri, percent }) => {
        this.note(uri, { percent: percent < 100 ? percent : null });
        this.update();
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.documents.delete(uri.toString())),
      session.onRunning(() => this.update()),
      onCurrentEditor(() => this.update()),
      vscode.window.onDidChangeActiveColorTheme(() => this.update()),
    ];
    this.update();
  }

  update(): void {
    const { status } = this.session;
    const document = currentEditor()?.document;
    const isShown = document !== undefined && this.isHeatShown(document);
    const known = document && this.documents.get(document.uri.toString());
    const isMissing = status !== null && isModelMissing(status, settings.model());
    this.item.text = statusText(status, isShown, known, isMissing);
    this.item.tooltip = this.tooltip();
    this.item.command = status === null ? COMMANDS.restart : COMMANDS.selectView;
    const isBad = status === null || status.state === 'error';
    this.item.backgroundColor = isBad ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    if (document && isAnalyzed(document)) this.item.show();
    else this.item.hide();
  }

  private statusChanged(status: Status | null): void {
    if (status?.analysisUri) this.note(status.analysisUri, { analysisMs: status.analysisMs });
    this.update();
  }

  private note(uri: string, state: Partial<DocumentState>): void {
    const key = this.session.running?.protocol2CodeConverter.asUri(uri).toString() ?? uri;
    this.documents.set(key, { analysisMs: null, percent: null, ...this.documents.get(key), ...state });
  }

  dispose(): void {
    this.item.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private tooltip(): vscode.MarkdownString {
    const { status } = this.session;
    const tooltip = new vscode.MarkdownString(
      `${vscode.l10n.t('{0} shows where a code model looks.', '**Codegaze**')}\n\n`,
      true,
    );
    tooltip.supportHtml = true;
    tooltip.isTrusted = {
      enabledCommands: [
        COMMANDS.showLegend,
        COMMANDS.showHeatmap,
        COMMANDS.selectModel,
        COMMANDS.downloadModel,
        COMMANDS.turnOff,
        COMMANDS.restart,
      ],
    };
    if (status === null) {
      const start = link(vscode.l10n.t('Start it'), COMMANDS.restart);
      tooltip.appendMarkdown(`${vscode.l10n.t('The server is not running.')} ${start}`);
      return tooltip;
    }
    if (status.message !== null) tooltip.appendText(`${status.message}\n`).appendMarkdown('\n\n');
    if (isModelMissing(status, settings.model())) {
      const download = link(vscode.l10n.t('Download it'), COMMANDS.downloadModel);
      const another = link(vscode.l10n.t('Choose another model'), COMMANDS.selectModel);
      tooltip.appendMarkdown(`${download} · ${another}\n\n`);
    }
    if (status.view !== null) {
      tooltip.appendText(`${status.view.model}: ${describeView(status.view)}`).appendMarkdown('\n\n');
    }
    for (const note of status.notes) tooltip.appendText(`${note}\n`).appendMarkdown('\n\n');
    if (status.embedded) {
      const small = vscode.l10n.t('This is the small model that comes with Codegaze.');
      const another = link(vscode.l10n.t('CodeBERT, or another'), COMMANDS.selectModel);
      tooltip.appendMarkdown(`${small} ${another}\n\n`);
    }
    const swatches = LEVELS.map(
      (level) =>
        `<span style="background-color:${cssVariable(COLORS.background(level))};">&nbsp;${level}</span><span style="color:${cssVariable(COLORS.line(level))};">▬</span>`,
    );
    const meaning = legend(settings.style(), isHighContrast(), status.view?.aggregate ?? null);
    tooltip.appendMarkdown(`${meaning}\n\n`);
    // Contrast themes and the other styles have no backgrounds to show here.
    if (settings.style() === 'background' && !isHighContrast()) {
      tooltip.appendMarkdown(`${vscode.l10n.t('less {0} more attention', swatches.join(''))}\n\n`);
    }
    const rest = [
      link(vscode.l10n.t('Legend'), COMMANDS.showLegend),
      link(vscode.l10n.t('Heatmap'), COMMANDS.showHeatmap),
      link(vscode.l10n.t('On or off'), COMMANDS.turnOff),
      vscode.l10n.t('click for model, method, layer, head'),
    ];
    tooltip.appendMarkdown(rest.join(' · '));
    return tooltip;
  }
}
