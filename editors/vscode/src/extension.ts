// Starts the extension: one server for the window, and the parts that show its answers.

import * as vscode from 'vscode';
import type { Range } from 'vscode-languageclient/node';
import { duration } from '../../../web/src/view/words';
import { currentEditor, currentPlace, onCurrentEditor, rememberPlaces } from './currentEditor';
import { CursorAttention } from './cursorAttention';
import { exportHeatmap } from './exportHeatmap';
import { HeatPainter } from './heat/painter';
import { Hovers } from './hover';
import { COMMANDS, CONTEXTS, WALKTHROUGH } from './names';
import { HeatmapPanels } from './panel/panel';
import {
  downloadModel,
  selectAggregate,
  selectHead,
  selectLayer,
  selectMethod,
  selectModel,
  selectStyle,
  selectView,
  showLegend,
} from './picks';
import { SERVER_COMMANDS } from './protocol';
import { report } from './report';
import { Session } from './session';
import { isAnalyzed, settings, write } from './settings';
import { StatusBar } from './statusBar';
import { Visibility } from './visibility';
import { welcomeOnce } from './welcome';

/** What the server's code lenses, hovers and code actions pass to the commands. The palette passes nothing. */
interface Target {
  uri: string;
  range?: Range;
}

let session: Session | undefined;

/** What tests of the running extension use. */
export interface Api {
  readonly session: Session;
}

export async function activate(context: vscode.ExtensionContext): Promise<Api> {
  const log = vscode.window.createOutputChannel('Codegaze', { log: true });
  const visibility = new Visibility();
  const started = new Session(context.extensionPath, log, visibility);
  session = started;
  const painter = new HeatPainter(started, visibility);
  const hovers = new Hovers(started, visibility);
  const statusBar = new StatusBar(started, (document) => painter.isShown(document));
  const panels = new HeatmapPanels(started, context.extensionUri);
  context.subscriptions.push(log, visibility, started, painter, hovers, statusBar, panels, rememberPlaces());
  context.subscriptions.push(new CursorAttention(started, visibility));
  context.subscriptions.push(welcomeOnce(started, context.globalState));

  const register = (command: string, run: (target?: Target) => unknown) =>
    context.subscriptions.push(vscode.commands.registerCommand(command, run));
  register(COMMANDS.toggle, () => visibility.toggle());
  register(COMMANDS.turnOff, () => visibility.choose());
  register(COMMANDS.explain, (target) => hovers.explain(target));
  register(COMMANDS.nextHotWord, () => painter.goToHotWord(1));
  register(COMMANDS.previousHotWord, () => painter.goToHotWord(-1));
  register(COMMANDS.toggleCursorAttention, () => write('cursorAttention', !settings.hasCursorAttention()));
  register(COMMANDS.selectStyle, selectStyle);
  register(COMMANDS.selectView, () => selectView(started));
  register(COMMANDS.selectModel, () => selectModel(started));
  register(COMMANDS.downloadModel, () => downloadModel(started));
  register(COMMANDS.selectMethod, () => selectMethod(started));
  register(COMMANDS.selectLayer, () => selectLayer(started));
  register(COMMANDS.selectHead, () => selectHead(started));
  register(COMMANDS.selectAggregate, () => selectAggregate(started));
  register(COMMANDS.showLegend, () => showLegend(started, context.extension));
  register(COMMANDS.showWalkthrough, () =>
    vscode.commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH, false),
  );
  register(COMMANDS.showLog, () => log.show());
  register(COMMANDS.restart, () => started.restart());
  register(COMMANDS.report, () => report(started, context.extension));
  register(COMMANDS.clearCache, async () => {
    const result = await started.execute<{ bytes: number }>(SERVER_COMMANDS.clearCache);
    if (!result) return;
    const freed = (result.bytes / 2 ** 20).toFixed(1);
    vscode.window.setStatusBarMessage(vscode.l10n.t('Codegaze: {0} MiB freed', freed), 5000);
  });
  register(COMMANDS.showHeatmap, async (target) => panels.show(await placeOf(started, target)));
  register(COMMANDS.exportHeatmap, async (target) => {
    const place = await placeOf(started, target);
    return place && exportHeatmap(started, place.uri, place.range.start);
  });

  const noteActive = () => {
    const document = currentEditor()?.document;
    void vscode.commands.executeCommand('setContext', CONTEXTS.active, document !== undefined && isAnalyzed(document));
  };
  context.subscriptions.push(
    onCurrentEditor(noteActive),
    visibility.onChange(() => statusBar.update()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      const isOfServer = ['server.path', 'languages'].some((key) => event.affectsConfiguration(`codegaze.${key}`));
      if (isOfServer) void started.restart();
      if (event.affectsConfiguration('codegaze')) statusBar.update();
    }),
    // The settings of the workspace apply from now on.
    vscode.workspace.onDidGrantWorkspaceTrust(() => started.restart()),
  );
  noteActive();
  // Not awaited: the editor does not wait for a server.
  void started.start().then(() => log.debug(`activated after ${duration(performance.now())}`));
  return { session: started };
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}

async function placeOf(started: Session, target?: Target): Promise<{ uri: vscode.Uri; range: Range } | undefined> {
  const client = started.running;
  // The editor's own menus pass a URI, the server's commands a target.
  if (target && typeof target.uri === 'string' && target.range && client) {
    return { uri: client.protocol2CodeConverter.asUri(target.uri), range: target.range };
  }
  const place = await currentPlace();
  if (!place) return undefined;
  const at = { line: place.position.line, character: place.position.character };
  return { uri: place.document.uri, range: { start: at, end: at } };
}
