// The status bar's entry: which model, its state, how long the latest analysis took; a legend on hover.

import * as vscode from 'vscode';
import { describeView } from '../../../web/src/view/words';
import { currentEditor, onCurrentEditor } from './currentEditor';
import { COLORS, COMMANDS, LEVELS } from './names';
import type { Session } from './session';
import { isAnalyzed, isHighContrast, settings } from './settings';
import { legend, statusText } from './words';

const cssVariable = (color: string) => `var(--vscode-${color.replaceAll('.', '-')})`;

export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly session: Session,
    private readonly isHeatShown: () => boolean,
  ) {
    this.item = vscode.window.createStatusBarItem('codegaze.status', vscode.StatusBarAlignment.Right, 90);
    this.item.name = 'Codegaze';
    this.subscriptions = [
      session.onStatus(() => this.update()),
      session.onRunning(() => this.update()),
      onCurrentEditor(() => this.update()),
      vscode.window.onDidChangeActiveColorTheme(() => this.update()),
    ];
    this.update();
  }

  update(): void {
    const { status } = this.session;
    this.item.text = statusText(status, this.isHeatShown());
    this.item.tooltip = this.tooltip();
    this.item.command = status === null ? COMMANDS.restart : COMMANDS.selectView;
    const isBad = status === null || status.state === 'error';
    this.item.backgroundColor = isBad ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    const document = currentEditor()?.document;
    if (document && isAnalyzed(document)) this.item.show();
    else this.item.hide();
  }

  dispose(): void {
    this.item.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private tooltip(): vscode.MarkdownString {
    const { status } = this.session;
    const tooltip = new vscode.MarkdownString('**Codegaze** shows where a code model looks.\n\n', true);
    tooltip.supportHtml = true;
    tooltip.isTrusted = {
      enabledCommands: [COMMANDS.showLegend, COMMANDS.showHeatmap, COMMANDS.selectModel, COMMANDS.restart],
    };
    if (status === null) {
      tooltip.appendMarkdown(`The server is not running. [Start it](command:${COMMANDS.restart})`);
      return tooltip;
    }
    if (status.message !== null) tooltip.appendText(`${status.message}\n`).appendMarkdown('\n\n');
    if (status.view !== null) {
      tooltip.appendText(`${status.view.model}: ${describeView(status.view)}`).appendMarkdown('\n\n');
    }
    if (status.embedded) {
      tooltip.appendMarkdown(
        `This is the small model that comes with Codegaze. [CodeBERT, or another](command:${COMMANDS.selectModel})\n\n`,
      );
    }
    const swatches = LEVELS.map(
      (level) =>
        `<span style="background-color:${cssVariable(COLORS.background(level))};">&nbsp; ${level} &nbsp;</span>`,
    );
    tooltip.appendMarkdown(`${legend(settings.style(), isHighContrast())}\n\n`);
    // Contrast themes and the other styles have no backgrounds to show here.
    if (settings.style() === 'background' && !isHighContrast()) {
      tooltip.appendMarkdown(`less ${swatches.join('')} more attention\n\n`);
    }
    tooltip.appendMarkdown(
      `[Legend](command:${COMMANDS.showLegend}) · [Heatmap](command:${COMMANDS.showHeatmap}) · click for model, method, layer, head`,
    );
    return tooltip;
  }
}
