// The server's life: other models, crashes, a missing program, workspaces that are not trusted.
import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { analyze, CodeServer, example, root } from './codeServer.mjs';
import { eventually, sleep } from './editor.mjs';

let server;
before(async () => {
  server = await CodeServer.launch();
});
afterEach((context) => server?.tidy(context));
after(() => server?.close());

const FILE = 'fibonacci.py';
const files = { [FILE]: example(FILE) };

test('the API in the extension host: activation, hovers, lenses, hints, commands, settings', async () => {
  const workspace = server.workspace({ ...files, 'tokenizer.rs': example('tokenizer.rs') });
  const result = join(workspace, 'result.json');
  cpSync(new URL('./inhost', import.meta.url).pathname, join(workspace, 'inhost'), { recursive: true });
  const editor = await server.open(workspace, {
    payload: [
      ['extensionDevelopmentPath', server.extensionPath],
      ['extensionTestsPath', join(workspace, 'inhost/index.js')],
    ],
  });
  await eventually(() => assert.ok(existsSync(result), 'the tests in the extension host have no result'), 60_000);
  const { passed, failed } = JSON.parse(readFileSync(result, 'utf8'));
  assert.deepEqual(failed, []);
  assert.ok(passed.length >= 11, `passed: ${passed}`);
  await editor.close();
});

test('the model and the view are switched live, from the status bar', async () => {
  const models = mkdtempSync(join(tmpdir(), 'codegaze-models-'));
  const other = join(models, 'other-model');
  cpSync(join(root, 'crates/codegaze-mini/model'), other, { recursive: true });
  const workspace = server.workspace(files);
  const file = join(workspace, FILE);
  const editor = await server.open(workspace, { file: FILE });
  await editor.expectHeat(analyze(file));
  assert.match((await editor.status()) ?? '', /codegaze-mini · \S+ m?s/);
  await editor.statusItem().click();
  await editor.pick('Layer…');
  await editor.pick('Layer 0');
  await editor.expectHeat(analyze(file, '--layers', '0'));
  await editor.command('Codegaze: Choose Head…');
  await editor.pick('Head 1');
  await editor.expectHeat(analyze(file, '--layers', '0', '--heads', '1'));
  await editor.command('Codegaze: Choose Method…');
  await editor.pick('Rollout');
  await editor.expectHeat(analyze(file, '--method', 'rollout', '--heads', '1'));

  await editor.set({ 'codegaze.model': other });
  await eventually(async () => assert.match((await editor.status()) ?? '', /other-model/), 30_000);
  // Other settings do not take back what was chosen.
  await editor.expectHeat(analyze(file, '--method', 'rollout', '--heads', '1'));
  await editor.set({ 'codegaze.model': join(models, 'none') });
  await eventually(async () => assert.match((await editor.status()) ?? '', /other-model|codegaze-mini/));
  await editor.waitForNotification(/none/);
  // VS Code wrote it to the machine's settings, which outlive the window.
  await editor.set({ 'codegaze.model': null });
  await editor.close();
});

test('a server that crashes is started again, with a message, and not for ever', async () => {
  // Windows that were closed keep their servers for a while.
  const others = new Set(server.serverPids());
  const workspace = server.workspace(files);
  const file = join(workspace, FILE);
  const editor = await server.open(workspace, { file: FILE });
  await editor.expectHeat(analyze(file));
  // What was chosen outlives the process.
  await editor.command('Codegaze: Choose Layer…');
  await editor.pick('Layer 0');
  const layer0 = analyze(file, '--layers', '0');
  await editor.expectHeat(layer0);
  for (let crash = 1; crash <= 5; crash++) {
    const pid = await eventually(() => {
      const fresh = server.serverPids().filter((each) => !others.has(each));
      assert.equal(fresh.length, 1, `servers: ${fresh}`);
      return fresh[0];
    });
    if (crash > 1) await sleep(1500);
    process.kill(pid, 'SIGKILL');
    others.add(pid);
    if (crash === 1) {
      await editor.waitForNotification(/server stopped unexpectedly and was started again/);
      await editor.shoot('crash');
      await editor.expectHeat(layer0);
    }
  }
  await editor.waitForNotification(/keeps stopping and is not started again/);
  // No server, no heat.
  await eventually(async () => {
    assert.equal((await editor.heat()).levels.size, 0);
    assert.match((await editor.status()) ?? '', /no server/);
  });
  await editor.command('Codegaze: Restart Server');
  await editor.expectHeat(layer0);
  await editor.close();
});

test('the status bar says which parts of a model are not used', async () => {
  const model = join(mkdtempSync(join(tmpdir(), 'codegaze-models-')), 'classifier');
  cpSync(join(root, 'crates/codegaze-mini/model'), model, { recursive: true });
  addTensor(join(model, 'model.safetensors'), 'classifier.out_proj.weight', 2);
  const workspace = server.workspace(files);
  const editor = await server.open(workspace, { file: FILE, settings: { 'codegaze.model': model } });
  await eventually(async () => assert.match((await editor.status()) ?? '', /classifier · /), 30_000);
  await editor.statusItem().hover();
  const tooltip = editor.page.locator('.monaco-hover', { hasText: 'shows where a code model looks' });
  await tooltip.waitFor();
  assert.match(await tooltip.textContent(), /task\shead\snot\sused:\sclassifier/);
  await editor.close();
});

/** Adds a tensor of zeros to a safetensors file: a header of JSON behind its length, and the bytes of all tensors. */
function addTensor(path, name, length) {
  const file = readFileSync(path);
  const size = Number(file.readBigUInt64LE(0));
  const tensors = JSON.parse(file.subarray(8, 8 + size).toString());
  const data = Buffer.concat([file.subarray(8 + size), Buffer.alloc(4 * length)]);
  tensors[name] = { dtype: 'F32', shape: [length], data_offsets: [data.length - 4 * length, data.length] };
  const header = Buffer.from(JSON.stringify(tensors));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([start, header, data]));
}

test('the project’s settings apply where the user has none', async () => {
  const workspace = server.workspace({ ...files, '.codegaze.toml': 'method = "rollout"\n' });
  const editor = await server.open(workspace, { file: FILE });
  await editor.expectHeat(analyze(join(workspace, FILE), '--method', 'rollout'));
  await editor.set({ 'codegaze.method': 'norm' });
  await editor.expectHeat(analyze(join(workspace, FILE), '--method', 'norm'));
  await editor.close();
});

test('a missing server is said, with what to do', async () => {
  const workspace = server.workspace(files);
  const editor = await server.open(workspace, {
    file: FILE,
    settings: { 'codegaze.server.path': '/nowhere/codegaze' },
  });
  const text = await editor.waitForNotification(/\/nowhere\/codegaze/);
  // The extension contains a program, so nothing has to be installed.
  assert.match(text, /The extension contains the program/);
  assert.doesNotMatch(text, /cargo install/);
  await editor.shoot('server-missing');
  assert.match((await editor.status()) ?? '', /no server/);
  await editor.command('Codegaze: Show Log');
  await eventually(async () =>
    assert.match(await editor.page.locator('.panel .view-lines').textContent(), /\/nowhere\/codegaze/),
  );
  // Corrected settings apply without a reload.
  await editor.answer('Use the Bundled Program');
  await editor.expectHeat(analyze(join(workspace, FILE)));
  await editor.close();
});

test('a workspace that is not trusted names neither program nor model', async () => {
  const marker = join(mkdtempSync(join(tmpdir(), 'codegaze-marker-')), 'ran');
  const evil = join(mkdtempSync(join(tmpdir(), 'codegaze-evil-')), 'codegaze');
  writeFileSync(evil, `#!/bin/sh\ntouch '${marker}'\nexit 1\n`);
  chmodSync(evil, 0o755);
  const workspaceSettings = { 'codegaze.server.path': evil, 'codegaze.model': '/nowhere/model' };
  const trust = {
    'security.workspace.trust.enabled': true,
    'security.workspace.trust.startupPrompt': 'never',
    'security.workspace.trust.banner': 'never',
    'security.workspace.trust.untrustedFiles': 'open',
  };
  const workspace = server.workspace(files, workspaceSettings);
  const editor = await server.open(workspace, { file: FILE, settings: trust });
  // The extension's own server serves, with the person's own model.
  await editor.expectHeat(analyze(join(workspace, FILE)));
  assert.match((await editor.status()) ?? '', /codegaze-mini/);
  assert.ok(!existsSync(marker), 'the workspace’s program was run');
  await editor.shoot('untrusted');
  await editor.close();

  // Where trust is given, the same settings count: the test above can fail.
  const trusting = await server.open(workspace, { file: FILE });
  await eventually(() => assert.ok(existsSync(marker), 'a trusted workspace’s program was not run'));
  await trusting.close();
});
