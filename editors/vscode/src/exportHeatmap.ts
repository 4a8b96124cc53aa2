// The heatmap as a file, drawn by the server.
import * as vscode from 'vscode';
import type { Position } from 'vscode-languageclient/node';
import { messageOf } from './errors';
import { type HeatmapCommand, type HeatmapCommandResult, SERVER_COMMANDS } from './protocol';
import type { Session } from './session';

export type Format = 'png' | 'svg' | 'json' | 'html';

const formats = (): { value: Format; label: string; description: string }[] => [
  { value: 'png', label: 'PNG', description: vscode.l10n.t('a picture') },
  { value: 'svg', label: 'SVG', description: vscode.l10n.t('a drawing, for print') },
  { value: 'html', label: 'HTML', description: vscode.l10n.t('a page to explore, in one file') },
  { value: 'json', label: 'JSON', description: vscode.l10n.t('all numbers') },
];

const isDark = () =>
  [vscode.ColorThemeKind.Dark, vscode.ColorThemeKind.HighContrast].includes(vscode.window.activeColorTheme.kind);

/** Asks for a format. The server draws the innermost definition at the position, or the chunk. */
export async function exportHeatmap(session: Session, uri: vscode.Uri, position: Position): Promise<void> {
  const client = session.running;
  if (!client) return;
  const placeHolder = vscode.l10n.t('Export the heatmap as');
  const format = (await vscode.window.showQuickPick(formats(), { placeHolder }))?.value;
  if (!format) return;
  const argument: HeatmapCommand = {
    uri: client.code2ProtocolConverter.asUri(uri),
    format,
    theme: isDark() ? 'dark' : 'light',
    position,
  };
  const name = nameOf(uri);
  await saveHeatmap(uri, format, async () => {
    const result = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t('Codegaze: exporting {0}', name),
        cancellable: true,
      },
      (_, token) => session.execute<HeatmapCommandResult>(SERVER_COMMANDS.heatmap, argument, token),
    );
    return result && result.data !== null ? Buffer.from(result.data, result.encoding) : null;
  });
}

const nameOf = (uri: vscode.Uri) => uri.path.split('/').at(-1) || 'heatmap';

/**
 * Asks for a place, and writes the content there. The editor writes the file, so that it also works if the editor's files are not the
 * server's.
 */
export async function saveHeatmap(
  uri: vscode.Uri,
  format: Format,
  content: () => Promise<Uint8Array | null>,
): Promise<void> {
  const folder = vscode.workspace.getWorkspaceFolder(uri) ?? vscode.workspace.workspaceFolders?.[0];
  const place = await vscode.window.showSaveDialog({
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder.uri, `${nameOf(uri)}.heatmap.${format}`) } : {}),
    filters: { [format.toUpperCase()]: [format] },
  });
  if (!place) return;
  try {
    const bytes = await content();
    if (bytes === null) return;
    await vscode.workspace.fs.writeFile(place, bytes);
  } catch (error) {
    void vscode.window.showErrorMessage(vscode.l10n.t('Codegaze: the export failed: {0}', messageOf(error)));
    return;
  }
  offerToOpen(place);
}

function offerToOpen(place: vscode.Uri): void {
  const open = vscode.l10n.t('Open');
  void vscode.window.showInformationMessage(vscode.l10n.t('Exported {0}', place.fsPath), open).then((choice) => {
    if (choice === open) return vscode.commands.executeCommand('vscode.open', place);
    return undefined;
  });
}
