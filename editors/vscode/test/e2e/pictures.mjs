// The README's pictures of VS Code: heat, hover and panel on an example. usage: node pictures.mjs FOLDER
import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { analyze, CodeServer, example } from './codeServer.mjs';
import { eventually } from './editor.mjs';

const FILE = 'fibonacci.py';
const MAX_BYTES = 400_000;
const EDITOR_WIDTH = 880;
const MIN_LEVEL = 3;
const [folder] = process.argv.slice(2);
const THEMES = { dark: 'Default Dark Modern', light: 'Default Light Modern' };

mkdirSync(folder, { recursive: true });
const server = await CodeServer.launch();
try {
  for (const [name, theme] of Object.entries(THEMES)) {
    const workspace = server.workspace({ [FILE]: example(FILE) });
    const editor = await server.open(workspace, {
      file: FILE,
      viewport: { width: 1600, height: 760 },
      settings: {
        'workbench.colorTheme': theme,
        // As at first.
        'codegaze.minLevel': MIN_LEVEL,
        'workbench.activityBar.location': 'hidden',
        'workbench.layoutControl.enabled': false,
        'window.commandCenter': false,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: VS Code's variables
        'window.title': '${activeEditorShort}',
        'editor.renderLineHighlight': 'line',
        'editor.hover.above': false,
      },
    });
    await editor.expectHeat(analyze(join(workspace, FILE)), { minLevel: MIN_LEVEL });
    await editor.page.keyboard.press('Control+B');
    // The first window has the note of the first run.
    await editor.command('Notifications: Clear All Notifications');
    await editor.goToLine(17, 6);
    await editor.command('Codegaze: Show Attention Heatmap');
    const panel = await editor.drawnPanel();
    // Room for the hover.
    const beside = await editor.page.locator('.editor-group-container').last().boundingBox();
    await editor.page.mouse.move(beside.x, 400);
    await editor.page.mouse.down();
    await editor.page.mouse.move(EDITOR_WIDTH, 400, { steps: 5 });
    await editor.page.mouse.up();
    await editor.page.mouse.move(400, 300);
    await editor.page.mouse.wheel(0, -1000);
    await editor.page.waitForTimeout(300);
    await eventually(async () => assert.match(await panel.locator('#readout').textContent(), /^remembered gives/));
    await editor.expectHeat(analyze(join(workspace, FILE)), { minLevel: MIN_LEVEL });
    // A word of a high level, with room for its hover below it.
    await editor.pointAt('assert all', 'assert');
    await editor.page.locator('.monaco-hover', { hasText: 'average' }).waitFor();
    // Whatever fades in has done so.
    await editor.page.waitForTimeout(1000);
    const path = join(folder, `vscode-${name}.png`);
    await editor.page.screenshot({ path, animations: 'disabled' });
    const { size } = statSync(path);
    assert.ok(size < MAX_BYTES, `${path} has ${size} bytes`);
    process.stdout.write(`${path}: ${size} bytes\n`);
    await editor.close();
  }
} finally {
  await server.tidy({ name: 'pictures' });
  await server.close();
}
