// What a person sees who has never heard of codegaze: the note, the tour, the legend, the hover; and the way to CodeBERT.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { analyze, CodeServer, example, root } from './codeServer.mjs';
import { DARK_ALPHAS, eventually, levelOf } from './editor.mjs';
import { startHub } from './hub.mjs';

const CODEBERT = 'microsoft/codebert-base';
const FILE = 'fibonacci.py';
const files = { [FILE]: example(FILE) };

let hub;
let server;
before(async () => {
  // Its files are the embedded model's: what comes is known, and is small.
  hub = await startHub(CODEBERT, join(root, 'crates/codegaze-mini/model'), 300);
  server = await CodeServer.launch({
    env: { HF_HUB_OFFLINE: '0', HF_ENDPOINT: hub.endpoint, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' },
  });
});
afterEach((context) => server?.tidy(context));
after(async () => {
  await server?.close();
  hub?.stop();
});

// The first test of this server: what was said once is not said again.
test('the first run says what the blue is and which model it comes from, once', async () => {
  const workspace = server.workspace(files);
  const editor = await server.open(workspace, { file: FILE });
  const note = await editor.waitForNotification(/where a code model looks/);
  assert.match(note, /The bluer a word, the more the model attends to it/);
  assert.match(note, /the small one that comes with Codegaze \(codegaze-mini\); CodeBERT is larger/);
  await editor.shoot('first-run');
  await editor.answer('What Do I See?');
  await editor.page.locator('.gettingStartedContainer', { hasText: 'See where a code model looks' }).waitFor();
  // The picture is a page of its own.
  await eventually(async () => {
    const pictures = await Promise.all(editor.page.frames().map((frame) => frame.locator('svg rect').count()));
    assert.ok(
      pictures.some((rects) => rects > 5),
      'the walkthrough has no picture',
    );
  });
  await editor.shoot('walkthrough');
  for (const step of ['Numbers in the hover', 'The whole picture', 'Which model is it?']) {
    await editor.page.locator('.getting-started-step', { hasText: step }).first().click();
    await editor.page.locator('.getting-started-step.expanded', { hasText: step }).waitFor();
    await editor.page.waitForTimeout(500);
    await editor.shoot(`walkthrough-${step.replace(/\W+/g, '-').toLowerCase()}`);
  }
  // A button of the tour works although the tour covers the source.
  await editor.page.locator('.getting-started-step', { hasText: 'The whole picture' }).first().click();
  await editor.page
    .locator('.getting-started-step.expanded a, .getting-started-step.expanded button', { hasText: 'Show the heatmap' })
    .first()
    .click();
  const tour = await editor.drawnPanel();
  assert.match(await tour.locator('#title').textContent(), /fibonacci\.py/);
  await editor.page.reload();
  await editor.page.locator(`.tab[data-resource-name="${FILE}"]`).click();
  await editor.expectHeat(analyze(join(workspace, FILE)));
  assert.deepEqual(
    (await editor.notifications()).filter((text) => /bluer/.test(text)),
    [],
  );
  await editor.close();
});

test('a button of the tour finds a source file that has not been read since the restart', async () => {
  const workspace = server.workspace({ ...files, 'notes.md': '# Notes\n' });
  const editor = await server.open(workspace, { file: FILE });
  await editor.expectHeat(analyze(join(workspace, FILE)));
  await editor.openFile('notes.md');
  await editor.restore();
  await editor.page.waitForSelector('.tab.active[data-resource-name="notes.md"]');
  await editor.command('Codegaze: Get Started');
  await editor.page.locator('.getting-started-step', { hasText: 'The whole picture' }).first().click();
  await editor.page
    .locator('.getting-started-step.expanded a, .getting-started-step.expanded button', { hasText: 'Show the heatmap' })
    .first()
    .click();
  const panel = await editor.drawnPanel();
  assert.match(await panel.locator('#title').textContent(), /fibonacci\.py/);
  await editor.close();
});

test('legends say what the levels are, in the status bar and as a list', async () => {
  const workspace = server.workspace(files);
  const editor = await server.open(workspace, { file: FILE });
  const analysis = analyze(join(workspace, FILE));
  await editor.expectHeat(analysis);
  await editor.statusItem().hover();
  const tooltip = editor.page.locator('.monaco-hover', { hasText: 'shows where a code model looks' });
  await tooltip.waitFor();
  assert.match(
    await tooltip.textContent(),
    /bluer a word.*small model that comes with Codegaze|small model.*bluer a word/s,
  );
  const swatches = await tooltip
    .locator('span')
    .evaluateAll((spans) => spans.map((span) => getComputedStyle(span).backgroundColor));
  const levels = new Set(swatches.map((color) => levelOf(color, '0, 25, 92', DARK_ALPHAS)));
  for (const level of [1, 2, 3, 4, 5]) assert.ok(levels.has(level), `no swatch of ${level} in ${swatches}`);
  await editor.shoot('legend-status-bar');
  await editor.page.mouse.move(5, 5);

  await editor.command('Codegaze: Show Legend');
  const rows = editor.page.locator('.quick-input-list .monaco-list-row');
  await eventually(async () => assert.equal(await rows.count(), 5));
  assert.match(await rows.first().textContent(), /Level 5\s*the 5 % of all words with the most attention/);
  // The icons have the colors of the heat.
  const icons = await rows.evaluateAll((all) =>
    all.map((row) => getComputedStyle(row.querySelector('.quick-input-list-icon')).backgroundImage),
  );
  const pictures = icons.map((icon) => atob(/base64,([^")]+)/.exec(icon)?.[1] ?? ''));
  assert.match(pictures[0], /fill="#00195C"/);
  assert.match(pictures[4], /fill="#00195C4C"/);
  await editor.shoot('legend');
  await editor.pick('Level 4');
  await editor.expectHeat(analysis, { minLevel: 4 });
  await editor.close();
});

test('the hover explains a word in words', async () => {
  const workspace = server.workspace(files);
  const editor = await server.open(workspace, { file: FILE });
  await editor.expectHeat(analyze(join(workspace, FILE)));
  await editor.page
    .locator('.view-line span', { hasText: /^remembered$/ })
    .first()
    .hover();
  const hover = editor.page.locator('.monaco-hover', { hasText: 'average' });
  await hover.waitFor();
  const text = await hover.textContent();
  assert.match(text, /remembered · [\d.]+× the average attention · rank \d+ of \d+ · level [1-5]/);
  assert.match(text, /attends most to .* · attended most by /);
  const { height } = await hover.boundingBox();
  assert.ok(height < 100, `the hover is ${height} pixels high`);
  await editor.shoot('hover-alone');
  // Details on demand; their link leads to the panel.
  await hover.locator('a', { hasText: 'more' }).click();
  const full = editor.page.locator('.monaco-hover', { hasText: 'as much as to an average lexeme here' });
  await full.waitFor();
  assert.match(await full.textContent(), /small embedded model codegaze-mini/);
  await editor.shoot('hover-full');
  await full.locator('a', { hasText: 'Show the heatmap' }).click();
  await editor.drawnPanel();
  await editor.close();
});

test('CodeBERT is asked about, downloaded and taken up while one works', async () => {
  const workspace = server.workspace(files);
  const editor = await server.open(workspace, { file: FILE });
  const analysis = analyze(join(workspace, FILE));
  await editor.expectHeat(analysis);
  await editor.command('Codegaze: Choose Model…');
  await editor.shoot('choose-model');
  await editor.pick(CODEBERT);
  await editor.waitForNotification(/codebert-base is not on this machine\. Download it.*\(500 MB\)/);
  await editor.shoot('download-question');
  // If the question is overlooked, the status bar still offers the download.
  await eventually(async () => assert.equal(await editor.statusItem().locator('.codicon-cloud-download').count(), 1));
  // The small model serves until then.
  assert.match((await editor.status()) ?? '', /codegaze-mini/);
  await editor.answer('Download');
  await eventually(async () => assert.match((await editor.status()) ?? '', /download [1-9]\d? %/));
  await editor.shoot('download');
  await eventually(async () => assert.match((await editor.status()) ?? '', /^codebert-base · \S+ m?s/), 60_000);
  await editor.expectHeat(analysis);
  assert.deepEqual(editor.problems, []);
  await editor.close();
});
