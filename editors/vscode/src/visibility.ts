// Where attention is shown: the switch of this window, single files, and the setting `enabled`.
import * as vscode from 'vscode';
import { currentEditor } from './currentEditor';
import { isAnalyzed, settings, write, writeEnabledFor } from './settings';

export class Visibility implements vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<void>();
  readonly onChange = this.emitter.event;
  private isOn = true;
  /** Files that the user switched off in this window. */
  private readonly off = new Set<string>();
  private readonly subscription = vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration('codegaze.enabled')) this.emitter.fire();
  });

  /** Whether heat, hovers, lenses and hints are shown in a document. */
  isShown(document: vscode.TextDocument): boolean {
    return this.isOn && isAnalyzed(document) && settings.isEnabled(document) && !this.off.has(document.uri.toString());
  }

  toggle(): void {
    this.isOn = !this.isOn;
    this.emitter.fire();
  }

  /** Asks how far attention is to be switched off, or on again. */
  async choose(): Promise<void> {
    const document = currentEditor()?.document;
    const uri = document?.uri.toString();
    const isHere = document !== undefined && this.isShown(document);
    const word = isHere ? vscode.l10n.t('Off') : vscode.l10n.t('On');
    const items: (vscode.QuickPickItem & { run: () => unknown })[] = [];
    if (document && uri && isAnalyzed(document)) {
      items.push({
        label: vscode.l10n.t('{0} in this file', word),
        description: vscode.l10n.t('until the window is closed'),
        run: () => {
          if (isHere) this.off.add(uri);
          else this.off.delete(uri);
          this.emitter.fire();
        },
      });
      items.push({
        label: vscode.l10n.t('{0} for {1}', word, document.languageId),
        description: `"[${document.languageId}]": { "codegaze.enabled": ${!isHere} }`,
        run: () => writeEnabledFor(document.languageId, !isHere),
      });
    }
    items.push({
      label: word,
      description: `"codegaze.enabled": ${!isHere}`,
      run: async () => {
        if (!isHere) {
          this.isOn = true;
          this.off.clear();
        }
        await write('enabled', !isHere);
        this.emitter.fire();
      },
    });
    const picked = await vscode.window.showQuickPick(items, {
      placeHolder: vscode.l10n.t('Where shall Codegaze show attention?'),
    });
    await picked?.run();
  }

  dispose(): void {
    this.subscription.dispose();
    this.emitter.dispose();
  }
}
