// Runs inside the extension host; writes what passed and what failed to result.json of the workspace.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

const folder = () => vscode.workspace.workspaceFolders[0].uri.fsPath;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function eventually(check, timeoutMs = 15_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(100);
    }
  }
}

/** A file with definitions that differ from it. */
const tokenizer = () => vscode.workspace.openTextDocument(path.join(folder(), 'tokenizer.rs'));

const tests = {
  async 'activates by itself and starts its own server'({ api, extension }) {
    assert.ok(extension.isActive);
    assert.equal(api.session.program.origin, 'bundled');
    assert.equal(api.session.program.path, path.join(extension.extensionPath, 'server', 'codegaze'));
    assert.match(api.session.version, /^\d+\.\d+\.\d+/);
  },
  async 'every command of the manifest is registered'({ extension }) {
    const all = new Set(await vscode.commands.getCommands(true));
    for (const { command } of extension.packageJSON.contributes.commands) assert.ok(all.has(command), command);
  },
  async 'hovers have numbers'({ document }) {
    const hovers = await vscode.commands.executeCommand(
      'vscode.executeHoverProvider',
      document.uri,
      new vscode.Position(16, 6),
    );
    const text = hovers.flatMap(({ contents }) => contents.map((content) => content.value ?? content)).join('\n');
    assert.match(text, /remembered/);
    assert.match(text, /average/);
  },
  async 'hovers and lenses follow codegaze.enabled of the language'({ document }) {
    const place = new vscode.Position(16, 6);
    const hovers = async () => {
      const all = await vscode.commands.executeCommand('vscode.executeHoverProvider', document.uri, place);
      return all.filter(({ contents }) => contents.some((content) => /average/.test(content.value ?? content)));
    };
    const lenses = async () => {
      const all = await vscode.commands.executeCommand('vscode.executeCodeLensProvider', (await tokenizer()).uri, 100);
      return all.filter(({ command }) => command?.title.startsWith('$(eye)'));
    };
    assert.ok((await hovers()).length > 0 && (await lenses()).length > 0);
    const languages = ['python', 'rust'].map((languageId) =>
      vscode.workspace.getConfiguration('codegaze', { languageId }),
    );
    for (const each of languages) await each.update('enabled', false, vscode.ConfigurationTarget.Global, true);
    await eventually(async () => assert.deepEqual([await hovers(), await lenses()], [[], []]));
    for (const each of languages) await each.update('enabled', undefined, vscode.ConfigurationTarget.Global, true);
    await vscode.commands.executeCommand('codegaze.toggle');
    await eventually(async () => assert.deepEqual([await hovers(), await lenses()], [[], []]));
    await vscode.commands.executeCommand('codegaze.toggle');
    await eventually(async () => assert.ok((await hovers()).length > 0));
  },
  async 'a definition that differs from its file has a lens that opens the panel'() {
    const { uri } = await tokenizer();
    const lenses = await vscode.commands.executeCommand('vscode.executeCodeLensProvider', uri, 100);
    const ours = lenses.filter(({ command }) => command?.title.startsWith('$(eye)'));
    assert.ok(ours.length >= 1, `lenses: ${JSON.stringify(lenses)}`);
    assert.ok(
      ours.some(({ command }) => command.command === 'codegaze.showHeatmap'),
      JSON.stringify(ours),
    );
    const { command } = ours.find((lens) => lens.command.command === 'codegaze.showHeatmap');
    await vscode.commands.executeCommand(command.command, ...command.arguments);
    await eventually(() => {
      const tabs = vscode.window.tabGroups.all.flatMap(({ tabs: each }) => each);
      assert.ok(
        tabs.some(({ input }) => input instanceof vscode.TabInputWebview && /codegaze\.heatmap$/.test(input.viewType)),
      );
    });
  },
  async 'code actions offer the heatmap'({ document }) {
    const range = new vscode.Range(5, 4, 5, 4);
    const actions = await vscode.commands.executeCommand('vscode.executeCodeActionProvider', document.uri, range);
    const ids = actions.map((action) => action.command?.command ?? action.command);
    assert.ok(ids.includes('codegaze.showHeatmap'), JSON.stringify(actions));
  },
  async 'inlay hints come with their setting'({ document }) {
    const hints = () =>
      vscode.commands.executeCommand('vscode.executeInlayHintProvider', document.uri, new vscode.Range(0, 0, 23, 0));
    assert.deepEqual(await hints(), []);
    await set('features.inlayHints', true);
    await eventually(async () => assert.ok((await hints()).length > 5));
    await set('features.inlayHints', undefined);
    await eventually(async () => assert.deepEqual(await hints(), []));
  },
  async 'semantic tokens and highlights are left to the language'({ document }) {
    const tokens = await vscode.commands.executeCommand('vscode.provideDocumentSemanticTokens', document.uri);
    assert.equal(tokens, undefined);
    const capabilities = await vscode.commands.executeCommand('codegaze.server.info', {});
    // Only what the user set is sent: defaults would override a project's .codegaze.toml.
    assert.equal(capabilities.settings['features.documentHighlight'], undefined);
    assert.equal(capabilities.settings['features.semanticTokens'], false);
    assert.equal(capabilities.settings.method, undefined);
    assert.equal(capabilities.positionEncoding, 'utf-16');
  },
  async 'semantic tokens and highlights are sent once they are asked for'({ document }) {
    const { Read, Write } = vscode.DocumentHighlightKind;
    const hasOurs = async () => {
      const place = new vscode.Position(5, 6);
      const found = await vscode.commands.executeCommand('vscode.executeDocumentHighlights', document.uri, place);
      // The editor's own, of equal words, are of neither kind.
      return [Read, Write].every((wanted) => (found ?? []).some(({ kind }) => kind === wanted));
    };
    assert.equal(await hasOurs(), false);
    await set('features.documentHighlight', true);
    await eventually(async () => assert.equal(await hasOurs(), true));
    await set('features.documentHighlight', undefined);
    await set('features.semanticTokens', true);
    await eventually(async () => {
      const tokens = await vscode.commands.executeCommand('vscode.provideDocumentSemanticTokens', document.uri);
      assert.ok(tokens?.data.length > 50);
    });
    await set('features.semanticTokens', undefined);
    await eventually(async () => {
      const tokens = await vscode.commands.executeCommand('vscode.provideDocumentSemanticTokens', document.uri);
      assert.ok((tokens?.data.length ?? 0) === 0);
    });
  },
  async 'settings reach the running server'() {
    await set('levelQuantiles', [0.1, 0.2, 0.3, 0.4, 0.5]);
    await eventually(async () => {
      const { settings } = await vscode.commands.executeCommand('codegaze.server.info', {});
      assert.deepEqual(settings.levelQuantiles, [0.1, 0.2, 0.3, 0.4, 0.5]);
    });
    await set('levelQuantiles', undefined);
  },
  async 'a report names the versions'({ extension }) {
    await vscode.commands.executeCommand('codegaze.report');
    const text = vscode.window.activeTextEditor.document.getText();
    assert.ok(text.includes(`extension ${extension.packageJSON.version}`), text);
    assert.match(text, /server \d+\.\d+\.\d+/);
    assert.match(text, /"id": "codegaze-mini"/);
  },
  async 'the cache can be emptied'({ document, api }) {
    await vscode.window.showTextDocument(document);
    const { model } = await vscode.commands.executeCommand('codegaze.server.info', {});
    assert.ok(model.cache.entries > 0);
    const freed = await api.session.execute('codegaze.server.clearCache');
    assert.ok(freed.bytes > 0);
  },
};

const set = (key, value) =>
  vscode.workspace.getConfiguration('codegaze').update(key, value, vscode.ConfigurationTarget.Global);

exports.run = async () => {
  const passed = [];
  const failed = [];
  try {
    const extension = vscode.extensions.getExtension('codegaze.codegaze');
    // Not by this test: `onStartupFinished`.
    await eventually(() => assert.ok(extension.isActive, 'the extension is not active'), 30_000);
    const api = extension.exports;
    const document = await vscode.workspace.openTextDocument(path.join(folder(), 'fibonacci.py'));
    await vscode.window.showTextDocument(document);
    await eventually(() => assert.equal(api.session.status?.state, 'ready'), 30_000);
    for (const [name, test] of Object.entries(tests)) {
      try {
        await test({ api, extension, document });
        passed.push(name);
      } catch (error) {
        failed.push(`${name}: ${error.stack}`);
      }
    }
  } catch (error) {
    failed.push(`set-up: ${error.stack}`);
  }
  const file = path.join(folder(), 'result.json');
  fs.writeFileSync(`${file}.part`, JSON.stringify({ passed, failed }));
  fs.renameSync(`${file}.part`, file);
};
