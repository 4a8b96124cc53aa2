// The editor that a command or the status bar is about.
import * as vscode from 'vscode';
import { isAnalyzed } from './settings';

/** The active one; while a panel has the focus, the one beside it. */
export function currentEditor(): vscode.TextEditor | undefined {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  return activeTextEditor ?? visibleTextEditors.find(({ document }) => isAnalyzed(document));
}

/** Calls back when it may be another one. */
export function onCurrentEditor(changed: () => void): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.window.onDidChangeActiveTextEditor(changed),
    vscode.window.onDidChangeVisibleTextEditors(changed),
  );
}
