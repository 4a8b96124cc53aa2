// code-server with the packaged extension installed, and Chromium beside it.
import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { Editor } from './editor.mjs';

export const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, '../../../..');
export const artefacts = join(here, 'artefacts');
const codegaze = process.env.CODEGAZE_BIN;

/** Nothing of the editor's own that moves, asks or covers. */
const QUIET = {
  'security.workspace.trust.enabled': false,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.reduceMotion': 'on',
  'editor.minimap.enabled': false,
  'editor.occurrencesHighlight': 'off',
  'editor.bracketPairColorization.enabled': false,
  'editor.autoClosingBrackets': 'never',
  'editor.autoIndent': 'none',
  'editor.suggestOnTriggerCharacters': false,
  'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
  'editor.parameterHints.enabled': false,
  'editor.hover.delay': 100,
  'editor.cursorBlinking': 'solid',
  'editor.fontFamily': 'DejaVu Sans Mono',
  'editor.renderLineHighlight': 'none',
  'editor.matchBrackets': 'never',
  // A tab is a character like any other.
  'editor.detectIndentation': false,
  '[go]': { 'editor.tabSize': 1 },
  'editor.selectionHighlight': false,
  'editor.unicodeHighlight.ambiguousCharacters': false,
  'files.autoSave': 'off',
  'git.enabled': false,
  'window.confirmBeforeClose': 'never',
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'telemetry.telemetryLevel': 'off',
  'workbench.colorTheme': 'Default Dark Modern',
  // The embedded model, whatever the machine's hub cache holds.
  'codegaze.model': 'embedded',
};

const freePort = () =>
  new Promise((done, failed) => {
    const server = createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

export class CodeServer {
  editors = [];

  /** `extensions`: further ones, folders of `fixtures`; `env`: more for the server's environment. */
  static async launch(options = {}) {
    const server = new CodeServer();
    try {
      await server.start(options);
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  async start({ extensions = [], env = {} }) {
    this.folder = mkdtempSync(join(tmpdir(), 'codegaze-vscode-'));
    this.userData = join(this.folder, 'user-data');
    this.extensions = join(this.folder, 'extensions');
    mkdirSync(join(this.userData, 'User'), { recursive: true });
    const config = join(this.folder, 'config.yaml');
    this.port = await freePort();
    writeFileSync(config, `bind-addr: 127.0.0.1:${this.port}\nauth: none\ncert: false\n`);
    this.common = ['--config', config, '--user-data-dir', this.userData, '--extensions-dir', this.extensions];
    const others = ['settings', ...extensions].map((name) =>
      packExtension(join(here, 'fixtures', name), join(this.folder, `${name}.vsix`)),
    );
    for (const vsix of [process.env.VSIX, ...others]) {
      execFileSync(process.execPath, [process.env.CODE_SERVER, ...this.common, '--install-extension', vsix], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    }
    this.process = spawn(
      process.execPath,
      [process.env.CODE_SERVER, ...this.common, '--disable-telemetry', '--disable-update-check'],
      // A group of its own, so that what it started ends with it.
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, HF_HOME: join(this.folder, 'hub'), HF_HUB_OFFLINE: '1', ...env },
        detached: true,
      },
    );
    let log = '';
    this.process.stderr.on('data', (text) => {
      log += text;
    });
    for (let waited = 0; ; waited += 100) {
      const answer = await fetch(`http://127.0.0.1:${this.port}/healthz`).catch(() => null);
      if (answer?.ok) break;
      if (waited > 30_000 || this.process.exitCode !== null) throw new Error(`code-server does not start:\n${log}`);
      await new Promise((done) => setTimeout(done, 100));
    }
    this.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-sync', '--disable-background-networking'],
    });
  }

  /** Where the extension was unpacked to. */
  get extensionPath() {
    const name = readdirSync(this.extensions).find((each) => each.startsWith('codegaze.codegaze-'));
    return join(this.extensions, name);
  }

  /** A workspace of files, by name; `settings` are the workspace's own. */
  workspace(files, settings) {
    const folder = mkdtempSync(join(this.folder, 'workspace-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    if (settings) {
      mkdirSync(join(folder, '.vscode'), { recursive: true });
      writeFileSync(join(folder, '.vscode/settings.json'), JSON.stringify(settings, null, 2));
    }
    return folder;
  }

  setUserSettings(settings) {
    // All levels, so that much heat is compared.
    const all = { ...QUIET, 'codegaze.minLevel': 1, ...settings };
    writeFileSync(join(this.userData, 'User/settings.json'), JSON.stringify(all, null, 2));
  }

  /** An editor window in its own browser context. `file` is opened from the start. */
  async open(workspace, { file, settings = {}, payload = [], viewport = { width: 1280, height: 800 } } = {}) {
    this.setUserSettings(settings);
    const context = await this.browser.newContext({ viewport });
    const page = await context.newPage();
    const remote = (path) => `vscode-remote://127.0.0.1:${this.port}${path}`;
    const all = [...payload.map(([key, path]) => [key, remote(path)])];
    if (file) all.unshift(['openFile', remote(join(workspace, file))]);
    const query = all.length > 0 ? `&payload=${encodeURIComponent(JSON.stringify(all))}` : '';
    const editor = new Editor(page, workspace);
    this.editors.push(editor);
    await page.goto(`http://127.0.0.1:${this.port}/?folder=${encodeURIComponent(workspace)}${query}`);
    await page.waitForSelector('.monaco-workbench', { timeout: 60_000 });
    if (file) await page.waitForSelector('.monaco-editor .view-line span', { timeout: 60_000 });
    return editor;
  }

  /** The server's processes that this code-server started. */
  serverPids() {
    const program = join(this.extensionPath, 'server/codegaze');
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readlinkSync(`/proc/${pid}/exe`) === program;
        } catch {
          return false;
        }
      })
      .map(Number);
  }

  /** After each test: a window that is still there belongs to a test that failed. Keeps what it looked like, and the log. */
  async tidy({ name }) {
    const left = this.editors.splice(0).filter((editor) => !editor.page.isClosed());
    for (const [at, editor] of left.entries()) {
      const failed = `failed-${name.replace(/\W+/g, '-').slice(0, 60)}-${at}`;
      await editor.shoot(failed).catch(() => undefined);
      const logs = readdirSync(this.userData, { recursive: true }).filter((each) => each.endsWith('Codegaze.log'));
      const latest = logs.sort().at(-1);
      if (latest) copyFileSync(join(this.userData, latest), join(artefacts, `${failed}.log`));
      await editor.close().catch(() => undefined);
    }
  }

  async close() {
    const patience = () => new Promise((done) => setTimeout(done, 5000).unref());
    if (this.browser) await Promise.race([this.browser.close(), patience()]);
    if (this.process?.pid !== undefined) {
      if (this.process.exitCode === null) {
        const ended = new Promise((done) => this.process.once('exit', done));
        this.process.kill('SIGTERM');
        await Promise.race([ended, patience()]);
      }
      try {
        process.kill(-this.process.pid, 'SIGKILL');
      } catch {
        // The group has no process.
      }
      this.process.stderr.destroy();
      this.process.unref();
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What the command line says of a file: the tests' second opinion. */
export function analyze(path, ...args) {
  const json = execFileSync(codegaze, ['analyze', path, '--format', 'json', ...args], { maxBuffer: 1 << 28 });
  return JSON.parse(json.toString('utf8'));
}

export const example = (name) => readFileSync(join(root, 'examples', name), 'utf8');

/** Packs a folder with a package.json and an extension.js. */
function packExtension(folder, out) {
  const vsce = join(here, '../../node_modules/@vscode/vsce/vsce');
  const flags = ['--no-dependencies', '--allow-missing-repository', '--skip-license', '--out', out];
  execFileSync(process.execPath, [vsce, 'package', ...flags], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  return out;
}
