// The editor that a command or the status bar is about.
import * as vscode from 'vscode';
import { isAnalyzed } from './settings';

/** A document, and a place in it. */
export interface Place {
  document: vscode.TextDocument;
  position: vscode.Position;
}

/** The active one; while a panel has the focus, the one beside it. */
export function currentEditor(): vscode.TextEditor | undefined {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  return activeTextEditor ?? visibleTextEditors.find(({ document }) => isAnalyzed(document));
}

/**
 * The word that a selection is about. After a double click, the cursor is behind the selected word, where punctuation may follow, so
 * a selection within one line counts from its start.
 */
export function placeOfSelection({ start, active, isEmpty, isSingleLine }: vscode.Selection): vscode.Position {
  return !isEmpty && isSingleLine ? start : active;
}

/** The place that was looked at last: while the walkthrough covers the source, commands are about the source behind it. */
let last: { uri: string; position: vscode.Position } | undefined;

/** Where a command applies; `undefined` if no source file is open. */
export async function currentPlace(): Promise<Place | undefined> {
  const editor = currentEditor();
  if (editor && isAnalyzed(editor.document)) {
    return { document: editor.document, position: placeOfSelection(editor.selection) };
  }
  const isLast = ({ uri }: { uri: vscode.Uri }) => uri.toString() === last?.uri;
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  const files = tabs.flatMap(({ input }) => (input instanceof vscode.TabInputText ? [input] : []));
  for (const { uri } of files.sort((a, b) => Number(isLast(b)) - Number(isLast(a)))) {
    // After a restart, VS Code has not read the files of the tabs that are covered.
    const document = await Promise.resolve(vscode.workspace.openTextDocument(uri)).catch(() => undefined);
    if (!document || !isAnalyzed(document)) continue;
    return { document, position: (isLast(document) && last?.position) || new vscode.Position(0, 0) };
  }
  return undefined;
}

/** Calls back when it may be another one, or when its language may be another one. */
export function onCurrentEditor(changed: () => void): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.window.onDidChangeActiveTextEditor(changed),
    vscode.window.onDidChangeVisibleTextEditors(changed),
    // Choosing another language closes the document and opens it again.
    vscode.workspace.onDidOpenTextDocument(changed),
  );
}

/** Remembers where the user was. */
export function rememberPlaces(): vscode.Disposable {
  const remember = (editor: vscode.TextEditor | undefined) => {
    if (editor && isAnalyzed(editor.document)) {
      last = { uri: editor.document.uri.toString(), position: placeOfSelection(editor.selection) };
    }
  };
  remember(vscode.window.activeTextEditor);
  return vscode.Disposable.from(
    vscode.window.onDidChangeActiveTextEditor(remember),
    vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => remember(textEditor)),
  );
}
