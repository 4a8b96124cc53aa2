// The heatmap as a file, drawn by the server.
import * as vscode from 'vscode';
import type { Position, Range } from 'vscode-languageclient/node';
import { type HeatmapCommand, type HeatmapCommandResult, SERVER_COMMANDS } from './protocol';
import type { Session } from './session';

export type Format = 'png' | 'svg' | 'json' | 'html';

const FORMATS: { value: Format; label: string; description: string }[] = [
  { value: 'png', label: 'PNG', description: 'a picture' },
  { value: 'svg', label: 'SVG', description: 'a drawing, for print' },
  { value: 'html', label: 'HTML', description: 'a page to explore, in one file' },
  { value: 'json', label: 'JSON', description: 'all numbers' },
];

export interface Exported {
  uri: vscode.Uri;
  /** The part to draw; without it, a definition or a chunk. */
  range?: Range;
  /** Draws the innermost definition here, or the chunk. */
  position?: Position;
  /** Draws a part of this chunk. */
  chunk?: number;
  /** The drawn matrix as data, for JSON. */
  data?: () => object;
  format?: Format;
  view?: HeatmapCommand['view'];
  unit?: HeatmapCommand['unit'];
}

const isDark = () =>
  [vscode.ColorThemeKind.Dark, vscode.ColorThemeKind.HighContrast].includes(vscode.window.activeColorTheme.kind);

/** Asks for a format, if none is given, and for a place. Returns the file, or `null` if the user cancelled. */
export async function exportHeatmap(session: Session, exported: Exported): Promise<vscode.Uri | null> {
  const client = session.running;
  if (!client) return null;
  const format =
    exported.format ?? (await vscode.window.showQuickPick(FORMATS, { placeHolder: 'Export the heatmap as' }))?.value;
  if (!format) return null;
  const name = exported.uri.path.split('/').at(-1) || 'heatmap';
  const folder = vscode.workspace.getWorkspaceFolder(exported.uri) ?? vscode.workspace.workspaceFolders?.[0];
  const place = await vscode.window.showSaveDialog({
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder.uri, `${name}.heatmap.${format}`) } : {}),
    filters: { [format.toUpperCase()]: [format] },
  });
  if (!place) return null;
  if (format === 'json' && exported.data) {
    await vscode.workspace.fs.writeFile(place, Buffer.from(`${JSON.stringify(exported.data())}\n`));
    offerToOpen(place);
    return place;
  }
  const argument: HeatmapCommand = {
    uri: client.code2ProtocolConverter.asUri(exported.uri),
    format,
    theme: isDark() ? 'dark' : 'light',
    ...(exported.range ? { range: exported.range } : {}),
    ...(exported.position ? { position: exported.position } : {}),
    ...(exported.chunk === undefined ? {} : { chunk: exported.chunk }),
    ...(exported.unit ? { unit: exported.unit } : {}),
    ...(exported.view ? { view: exported.view } : {}),
  };
  try {
    // Written by the editor, so that it also works where the editor's files are not the server's.
    const result = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t('Codegaze: exporting {0}', name),
        cancellable: true,
      },
      (_, token) => session.execute<HeatmapCommandResult>(SERVER_COMMANDS.heatmap, argument, token),
    );
    if (!result || result.data === null) return null;
    await vscode.workspace.fs.writeFile(place, Buffer.from(result.data, result.encoding));
  } catch (error) {
    void vscode.window.showErrorMessage(
      `Codegaze: no export: ${error instanceof Error ? error.message : String(error)}`,
    );
    return null;
  }
  offerToOpen(place);
  return place;
}

function offerToOpen(place: vscode.Uri): void {
  const open = vscode.l10n.t('Open');
  void vscode.window.showInformationMessage(vscode.l10n.t('Exported {0}', place.fsPath), open).then((choice) => {
    if (choice === open) return vscode.commands.executeCommand('vscode.open', place);
    return undefined;
  });
}
