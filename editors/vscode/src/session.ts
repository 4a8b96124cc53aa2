// The language server's process and the connection to it, through restarts.
import * as vscode from 'vscode';
import {
  CloseAction,
  CodeLensRequest,
  ErrorAction,
  type ErrorHandler,
  ExecuteCommandRequest,
  InlayHintRequest,
  LanguageClient,
  type LanguageClientOptions,
  State,
  type StaticFeature,
  TransportKind,
} from 'vscode-languageclient/node';
import { messageOf } from './errors';
import { bundledServer, type Found, findServer, ServerMissing } from './lookup';
import { CLIENT_COMMANDS, COMMANDS, CONTEXTS } from './names';
import {
  HEATMAP_CHANGED,
  type HeatmapChanged,
  SERVER_COMMANDS,
  STATUS,
  type Status,
  type View,
  type ViewOptions,
} from './protocol';
import { documentSelector, removeSetting, SECTION, serverSettings, settings } from './settings';
import type { Visibility } from './visibility';

/** Within `CRASH_WINDOW_MS`, the server is started again after so many crashes and no more. */
const MAX_CRASHES = 4;
const CRASH_WINDOW_MS = 3 * 60_000;

/** Declares that this client supports the notifications that the server defines. */
const experimental: StaticFeature = {
  fillClientCapabilities(capabilities) {
    capabilities.experimental = {
      ...(capabilities.experimental as object | undefined),
      codegaze: { status: true, heatmapChanged: true },
    };
  },
  initialize() {},
  getState: () => ({ kind: 'static' }),
  clear() {},
};

export class Session implements vscode.Disposable {
  private client: LanguageClient | null = null;
  private server: Found | null = null;
  /** An invalid `server.path`, in whose place the user chose the bundled program; empty without such a choice. */
  private ignoredPath = '';
  private crashes: number[] = [];
  private chosen: ViewOptions = {};
  /** Starting and stopping happen one after the other. */
  private turn: Promise<void> = Promise.resolve();

  private readonly statusEmitter = new vscode.EventEmitter<Status | null>();
  private readonly heatEmitter = new vscode.EventEmitter<HeatmapChanged>();
  private readonly runningEmitter = new vscode.EventEmitter<boolean>();
  /** `null`: there is no server. */
  readonly onStatus = this.statusEmitter.event;
  readonly onHeatmapChanged = this.heatEmitter.event;
  readonly onRunning = this.runningEmitter.event;
  status: Status | null = null;

  constructor(
    private readonly extensionPath: string,
    readonly log: vscode.LogOutputChannel,
    private readonly visibility: Visibility,
  ) {
    visibility.onChange(() => this.askAgain());
  }

  /** VS Code asks for code lenses and inlay hints again. */
  private askAgain(): void {
    const client = this.running;
    if (!client) return;
    const lenses = client.getFeature(CodeLensRequest.method);
    const hints = client.getFeature(InlayHintRequest.method);
    for (const document of vscode.workspace.textDocuments) {
      lenses.getProvider(document)?.onDidChangeCodeLensEmitter.fire();
      hints.getProvider(document)?.onDidChangeInlayHints.fire();
    }
  }

  /** The connection, if the server answers. */
  get running(): LanguageClient | null {
    return this.client?.state === State.Running ? this.client : null;
  }

  get program(): Found | null {
    return this.server;
  }

  get version(): string | undefined {
    return this.running?.initializeResult?.serverInfo?.version;
  }

  start(): Promise<void> {
    return this.inTurn(() => this.startNow());
  }

  restart(): Promise<void> {
    return this.inTurn(async () => {
      await this.stopNow();
      this.crashes = [];
      await this.startNow();
    });
  }

  stop(): Promise<void> {
    return this.inTurn(() => this.stopNow());
  }

  /** The view of all documents. It outlives the server, and ends with the window. */
  async setView(options: ViewOptions): Promise<View | null> {
    const view = await this.execute<View>(SERVER_COMMANDS.setView, options);
    this.chosen = { ...this.chosen, ...options };
    return view;
  }

  /** One of the server's commands; `null` without a server. */
  async execute<T>(command: string, argument: unknown = {}, token?: vscode.CancellationToken): Promise<T | null> {
    const client = this.running;
    if (!client) return null;
    // An absent token must be left out: it would be sent as a further parameter.
    const params = { command, arguments: [argument] };
    return token
      ? client.sendRequest(ExecuteCommandRequest.type, params, token)
      : client.sendRequest(ExecuteCommandRequest.type, params);
  }

  dispose(): void {
    void this.stop();
    this.statusEmitter.dispose();
    this.heatEmitter.dispose();
    this.runningEmitter.dispose();
  }

  private inTurn(action: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(action, action);
    return this.turn;
  }

  private async startNow(): Promise<void> {
    this.server = null;
    let server: Found;
    try {
      server = findServer({
        configured: settings.serverPath() === this.ignoredPath ? '' : settings.serverPath(),
        extensionPath: this.extensionPath,
        pathVariable: process.env.PATH ?? '',
        platform: process.platform,
      });
    } catch (error) {
      this.setStatus(null);
      void this.explainMissing(error);
      return;
    }
    this.server = server;
    this.log.info(`starts ${server.path} (${server.origin})`);
    const client = new LanguageClient(
      'codegaze',
      'Codegaze',
      {
        command: server.path,
        args: ['lsp'],
        transport: TransportKind.stdio,
        options: { env: { ...process.env, RUST_BACKTRACE: '1' } },
      },
      this.clientOptions(),
    );
    client.registerFeature(experimental);
    client.onNotification(STATUS, (status) => this.setStatus(status));
    client.onNotification(HEATMAP_CHANGED, (changed) => this.heatEmitter.fire(changed));
    client.onDidChangeState(({ newState }) => this.connectionChanged(client, newState));
    this.client = client;
    try {
      await client.start();
    } catch (error) {
      this.log.error(`cannot start ${server.path}`, error);
      void this.offer(vscode.l10n.t('Codegaze cannot start its server {0}: {1}', server.path, messageOf(error)));
    }
  }

  private async stopNow(): Promise<void> {
    const client = this.client;
    this.client = null;
    if (client?.needsStop()) {
      await client.stop().catch((error: unknown) => this.log.warn('the server did not stop in time', error));
    }
    await client?.dispose().catch(() => undefined);
    this.setStatus(null);
  }

  private connectionChanged(client: LanguageClient, state: State): void {
    if (client !== this.client) return;
    const isRunning = state === State.Running;
    void vscode.commands.executeCommand('setContext', CONTEXTS.running, isRunning);
    if (isRunning) {
      // A new process knows the settings, but not what was chosen since.
      if (Object.keys(this.chosen).length > 0) {
        this.execute(SERVER_COMMANDS.setView, this.chosen).catch((error: unknown) =>
          this.log.warn('the chosen view is not one of this model', error),
        );
      }
    } else {
      this.setStatus(null);
    }
    this.runningEmitter.fire(isRunning);
  }

  private setStatus(status: Status | null): void {
    this.status = status;
    this.statusEmitter.fire(status);
  }

  private clientOptions(): LanguageClientOptions {
    return {
      documentSelector: documentSelector(),
      initializationOptions: serverSettings(),
      outputChannel: this.log,
      traceOutputChannel: this.log,
      errorHandler: this.errorHandler(),
      // `offer` shows a message instead, which names the next step.
      initializationFailedHandler: () => false,
      markdown: {
        isTrusted: { enabledCommands: [...CLIENT_COMMANDS] },
        supportHtml: false,
      },
      middleware: {
        workspace: {
          configuration: async (params, token, next) => {
            const all = await next(params, token);
            if (!Array.isArray(all)) return all;
            return all.map((value, at) => (params.items[at]?.section === SECTION ? serverSettings() : value));
          },
        },
        // `Hovers` requests them.
        provideHover: () => null,
        provideInlayHints: (document, range, token, next) =>
          this.visibility.isShown(document) ? next(document, range, token) : [],
        provideCodeLenses: async (document, token, next) => {
          const lenses = this.visibility.isShown(document) ? await next(document, token) : [];
          for (const lens of lenses ?? []) {
            if (lens.command && !lens.command.title.startsWith('$('))
              // An ordinary space after an icon is not drawn.
              lens.command.title = `$(eye)\u00a0${lens.command.title}`;
          }
          return lenses;
        },
      },
    };
  }

  private errorHandler(): ErrorHandler {
    return {
      error: () => ({ action: ErrorAction.Continue }),
      closed: () => {
        const now = Date.now();
        this.crashes = [...this.crashes.filter((at) => now - at < CRASH_WINDOW_MS), now];
        this.log.error(`the server stopped unexpectedly (${this.crashes.length} of ${MAX_CRASHES})`);
        if (this.crashes.length > MAX_CRASHES) {
          void this.offer(vscode.l10n.t('The Codegaze server keeps stopping and is not started again.'));
          return { action: CloseAction.DoNotRestart, handled: true };
        }
        void this.offer(vscode.l10n.t('The Codegaze server stopped unexpectedly and was started again.'), 'warning');
        return { action: CloseAction.Restart, handled: true };
      },
    };
  }

  private async offer(message: string, severity: 'error' | 'warning' = 'error'): Promise<void> {
    const restart = vscode.l10n.t('Restart Server');
    const log = vscode.l10n.t('Show Log');
    const report = vscode.l10n.t('Report…');
    const actions = severity === 'error' ? [restart, log, report] : [log, report];
    const show = severity === 'error' ? vscode.window.showErrorMessage : vscode.window.showWarningMessage;
    const choice = await show(message, ...actions);
    if (choice === restart) await this.restart();
    if (choice === log) this.log.show();
    if (choice === report) await vscode.commands.executeCommand(COMMANDS.report);
  }

  private async explainMissing(error: unknown): Promise<void> {
    const reason = messageOf(error);
    const isSetting = error instanceof ServerMissing && error.configured !== null;
    const hasBundled = isSetting && bundledServer(this.extensionPath, process.platform) !== null;
    const install = 'cargo install --locked --path .';
    const next = hasBundled
      ? vscode.l10n.t('The extension contains the program: remove the setting to use it, or correct the path.')
      : vscode.l10n.t('Run `{0}` in a checkout of codegaze, or set the path to the program.', install);
    const message = `${reason} ${next}`;
    this.log.error(message);
    const bundled = vscode.l10n.t('Use the Bundled Program');
    const copy = vscode.l10n.t('Copy Install Command');
    const set = vscode.l10n.t('Set Path…');
    const again = vscode.l10n.t('Try Again');
    const choice = await vscode.window.showErrorMessage(message, hasBundled ? bundled : copy, set, again);
    if (choice === bundled) {
      await removeSetting('server.path');
      // A setting that this window cannot change, such as one of another machine, is ignored until it changes.
      this.ignoredPath = settings.serverPath();
      await this.restart();
    }
    if (choice === copy) await vscode.env.clipboard.writeText(install);
    if (choice === set) {
      await vscode.commands.executeCommand('workbench.action.openSettings', 'codegaze.server.path');
    }
    if (choice === again) await this.restart();
  }
}
