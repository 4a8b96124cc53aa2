// Hovers: short ones at the pointer, and all numbers on request.
import * as vscode from 'vscode';
import { type Hover, HoverRequest, type Range } from 'vscode-languageclient/node';
import { isOutdated } from './errors';
import { EXPLAIN } from './protocol';
import type { Session } from './session';
import { isAnalyzed } from './settings';
import type { Visibility } from './visibility';

/**
 * The client library would register a provider for each language, and VS Code shows the provider first that was registered last. A
 * provider for all languages comes after those of the language.
 */
const AFTER_THE_LANGUAGES_OWN = { language: '*' };

export class Hovers implements vscode.HoverProvider, vscode.Disposable {
  private readonly registration = vscode.languages.registerHoverProvider(AFTER_THE_LANGUAGES_OWN, this);
  /** The word whose next hover shows all numbers. */
  private explained: { uri: string; range: vscode.Range } | null = null;

  constructor(
    private readonly session: Session,
    private readonly visibility: Visibility,
  ) {}

  async provideHover(
    document: vscode.TextDocument,
    position: vscode.Position,
    token: vscode.CancellationToken,
  ): Promise<vscode.Hover | null> {
    const client = this.session.running;
    if (!client || !isAnalyzed(document)) return null;
    const isExplained = this.explained?.uri === document.uri.toString() && this.explained.range.contains(position);
    const explained = isExplained ? this.explained : null;
    // Explained once: the next hover is a short one.
    this.explained = null;
    if (!explained && !this.visibility.isShown(document)) return null;
    // The cursor can be behind the word, where punctuation follows.
    const place = explained?.range.start ?? position;
    const params = client.code2ProtocolConverter.asTextDocumentPositionParams(document, place);
    try {
      const hover: Hover | null = explained
        ? await client.sendRequest(EXPLAIN, params, token)
        : await client.sendRequest(HoverRequest.type, params, token);
      return client.protocol2CodeConverter.asHover(hover) ?? null;
    } catch (error) {
      if (!token.isCancellationRequested && !isOutdated(error)) this.session.log.warn('no hover', error);
      return null;
    }
  }

  /** Shows all numbers of a word, in a hover at the cursor. */
  async explain(target?: { uri: string; range?: Range }): Promise<void> {
    const client = this.session.running;
    const active = vscode.window.activeTextEditor;
    if (!client) return;
    if (target?.range) {
      const document = await vscode.workspace.openTextDocument(client.protocol2CodeConverter.asUri(target.uri));
      const range = client.protocol2CodeConverter.asRange(target.range);
      const selection = new vscode.Range(range.start, range.start);
      await vscode.window.showTextDocument(document, { selection });
      this.explained = { uri: document.uri.toString(), range };
    } else if (active) {
      const range = active.document.getWordRangeAtPosition(active.selection.start) ?? active.selection;
      this.explained = { uri: active.document.uri.toString(), range };
    }
    // The short hover, in which the link was clicked, would stay.
    await vscode.commands.executeCommand('editor.action.hideHover').then(undefined, () => undefined);
    await vscode.commands.executeCommand('editor.action.showHover', { focus: 'noAutoFocus' });
  }

  dispose(): void {
    this.registration.dispose();
  }
}
