// Heat on the source: the right words, the right levels, and nothing else touched.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { analyze, CodeServer, example } from './codeServer.mjs';
import { DARK_ALPHAS, eventually, levelOf, sleep } from './editor.mjs';

let server;
before(async () => {
  server = await CodeServer.launch({ extensions: ['other-language'] });
});
afterEach((context) => server?.tidy(context));
after(() => server?.close());

const LANGUAGES = ['fibonacci.py', 'tokenizer.rs', 'event_emitter.ts', 'LruCache.java', 'workers.go'];

test('heat lies on the right words in five languages', async () => {
  const workspace = server.workspace(Object.fromEntries(LANGUAGES.map((name) => [name, example(name)])));
  const editor = await server.open(workspace, { file: LANGUAGES[0] });
  for (const name of LANGUAGES) {
    if (name !== LANGUAGES[0]) await editor.openFile(name);
    const compared = await editor.expectHeat(analyze(join(workspace, name)));
    assert.ok(compared > 30, `${name}: only ${compared} words have heat`);
    await editor.shoot(`heat-${name}`);
    // Lines that were not painted at first.
    await editor.page.keyboard.press('Control+End');
    await editor.expectHeat(analyze(join(workspace, name)));
  }
  assert.deepEqual(editor.problems, []);
  await editor.close();
});

test('colors of text stay those of the language’s own extension', async () => {
  const workspace = server.workspace({ 'fibonacci.py': example('fibonacci.py') });
  const editor = await server.open(workspace, { file: 'fibonacci.py' });
  const analysis = analyze(join(workspace, 'fibonacci.py'));
  await editor.expectHeat(analysis);
  // The other extension's tokens are there: its two colors, which no theme has.
  const withHeat = await eventually(async () => {
    const colors = await editor.textColors();
    assert.ok(
      colors.some((each) => each.endsWith('rgb(255, 0, 170)')),
      'no property of the other extension',
    );
    assert.ok(
      colors.some((each) => each.endsWith('rgb(0, 187, 136)')),
      'no function of the other extension',
    );
    return colors;
  });
  await editor.command('Codegaze: Toggle Attention');
  await eventually(async () => assert.equal((await editor.heat()).levels.size, 0));
  assert.deepEqual(await editor.textColors(), withHeat);
  await editor.command('Codegaze: Toggle Attention');
  await editor.expectHeat(analysis);
  assert.deepEqual(await editor.textColors(), withHeat);

  // Both hovers are shown.
  await editor.page
    .locator('.view-line span', { hasText: /^remembered$/ })
    .first()
    .hover();
  await eventually(async () => {
    const hover = await editor.page.locator('.monaco-hover .hover-contents').allInnerTexts();
    assert.ok(
      hover.some((text) => text.includes('hover of the language')),
      `hovers: ${hover.join(' | ')}`,
    );
    const [language, ours] = [/hover of the language/, /average attention/].map((pattern) =>
      hover.join('\n').search(pattern),
    );
    assert.ok(ours >= 0, `hovers: ${hover.join(' | ')}`);
    assert.ok(language < ours, 'the hover of the language comes first');
  });
  await editor.shoot('hover');
  assert.deepEqual(editor.problems, []);
  await editor.close();
});

test('an untitled file that is set to Python has heat and commands', async () => {
  const workspace = server.workspace({ 'fibonacci.py': example('fibonacci.py') });
  const editor = await server.open(workspace, { file: 'fibonacci.py' });
  await editor.expectHeat(analyze(join(workspace, 'fibonacci.py')));
  await editor.command('File: New Untitled Text File');
  await editor.page.waitForSelector('.tab.active[data-resource-name="Untitled-1"]');
  await editor.page.keyboard.type('def first(alpha, beta):\n    return alpha + beta\n');
  await eventually(async () => assert.equal((await editor.heat()).levels.size, 0));
  await editor.command('Change Language Mode');
  await editor.page.locator('.quick-input-widget input').fill('Python');
  await editor.pick('Python');
  await eventually(async () => assert.ok((await editor.heat()).levels.size > 10, 'there is no heat'));
  await editor.command('Codegaze: Show Attention Heatmap');
  const panel = await editor.drawnPanel();
  assert.match(await panel.locator('#title').textContent(), /Untitled-1, lines 1–2/);
  await editor.close();
});

test('both sides of a diff have heat', async () => {
  const before = 'def first(alpha, beta):\n    return alpha + beta\n';
  const workspace = server.workspace({ 'changed.py': before });
  const git = (...args) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: workspace, stdio: 'pipe' });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'first');
  writeFileSync(join(workspace, 'changed.py'), before.replace('alpha + beta', 'alpha * beta * 2'));
  const editor = await server.open(workspace, {
    file: 'changed.py',
    settings: { 'git.enabled': true, 'git.openRepositoryInParentFolders': 'never' },
    viewport: { width: 1600, height: 800 },
  });
  await editor.expectHeat(analyze(join(workspace, 'changed.py')));
  await editor.command('Git: Open Changes');
  for (const side of ['original', 'modified']) {
    const boxes = editor.page.locator(`.monaco-diff-editor .editor.${side} .view-overlays .cdr`);
    await eventually(async () => {
      const colors = await boxes.evaluateAll((all) => all.map((box) => getComputedStyle(box).backgroundColor));
      const hot = colors.filter((color) => levelOf(color, '0, 25, 92', DARK_ALPHAS) > 0);
      assert.ok(hot.length >= 5, `${side}: ${hot.length} words have heat`);
    }, 30_000);
  }
  await editor.shoot('diff');
  await editor.close();
});

test('typing at speed neither flickers nor leaves stale heat', async () => {
  const workspace = server.workspace({ 'typed.py': example('fibonacci.py') });
  const file = join(workspace, 'typed.py');
  const editor = await server.open(workspace, { file: 'typed.py' });
  await editor.expectHeat(analyze(file));
  await editor.goToLine(6);
  // Watches every frame for heat that is gone from the lines below.
  await editor.page.evaluate(() => {
    window.frames_ = { seen: 0, bare: 0 };
    const watch = () => {
      const boxes = document.querySelectorAll('.editor-instance .view-overlays .cdr');
      const hot = [...boxes].filter((box) => /^rgba?\(0, 25, 92/.test(getComputedStyle(box).backgroundColor));
      window.frames_.seen += 1;
      if (hot.length < 20) window.frames_.bare += 1;
      if (window.frames_.seen < 100_000) requestAnimationFrame(watch);
    };
    watch();
  });
  const text = ['def crème_brûlée(naïve, 数):', '    return {"🍮": naïve ** 数, "x": [1, 2, 3]}', '', ''].join('\n');
  await editor.page.keyboard.type(text.repeat(3), { delay: 6 });
  for (let undone = 0; undone < 4; undone++) await editor.page.keyboard.press('Control+Z');
  await editor.page.keyboard.type('x = memory[total]\n', { delay: 6 });
  await editor.page.keyboard.press('Control+S');
  await eventually(async () => assert.equal(await editor.page.locator('.tab.dirty').count(), 0));
  await editor.expectHeat(analyze(file));
  await sleep(1000);
  await editor.expectHeat(analyze(file));
  const frames = await editor.page.evaluate(() => window.frames_);
  assert.ok(frames.seen > 20, `only ${frames.seen} frames were drawn`);
  assert.equal(frames.bare, 0, `${frames.bare} of ${frames.seen} frames had no heat`);
  await editor.shoot('typed');
  await editor.close();
});

test('heat moves with the text until the server has read the new one', async () => {
  const others = new Set(server.serverPids());
  const workspace = server.workspace({ 'moved.py': example('fibonacci.py') });
  const file = join(workspace, 'moved.py');
  const editor = await server.open(workspace, { file: 'moved.py' });
  const before = analyze(file);
  await editor.expectHeat(before);
  const pids = server.serverPids().filter((pid) => !others.has(pid));
  assert.equal(pids.length, 1, `servers: ${pids}`);
  process.kill(pids[0], 'SIGSTOP');
  try {
    await editor.focus();
    await editor.page.keyboard.press('Control+Home');
    await editor.page.keyboard.type('# one\n# two\n');
    await editor.expectHeat(before, { movedBy: 2, timeoutMs: 3000 });
    // Well beyond the pause before a new question.
    await sleep(1500);
    await editor.expectHeat(before, { movedBy: 2, timeoutMs: 0 });
  } finally {
    process.kill(pids[0], 'SIGCONT');
  }
  await editor.page.keyboard.press('Control+S');
  await eventually(async () => assert.equal(await editor.page.locator('.tab.dirty').count(), 0));
  const after = analyze(file);
  assert.notDeepEqual(
    after.lexemes.map(({ level }) => level),
    before.lexemes.map(({ level }) => level),
  );
  await editor.expectHeat(after);
  await editor.close();
});

test('styles, levels and languages follow the settings', async () => {
  const workspace = server.workspace({
    'fibonacci.py': example('fibonacci.py'),
    'notes.md': '# Notes\n\nNothing here.\n',
  });
  const editor = await server.open(workspace, { file: 'fibonacci.py' });
  const analysis = analyze(join(workspace, 'fibonacci.py'));
  await editor.expectHeat(analysis);

  await editor.command('Codegaze: Choose Heat Style…');
  await editor.pick('underline');
  await eventually(async () => {
    const { boxes } = await editor.painted();
    const kinds = new Set(boxes.filter(({ sides }) => sides !== '2px').map(({ border }) => border?.split(' rgb')[0]));
    for (const kind of ['1px dotted', '1px dashed', '1px solid', '2px solid', '3px solid'])
      assert.ok(kinds.has(kind), `${kind}: ${[...kinds]}`);
    assert.equal((await editor.heat()).levels.size, 0);
  });
  await editor.shoot('style-underline');

  await editor.command('Codegaze: Choose Heat Style…');
  await editor.pick('spotlight');
  const opacities = (word) =>
    editor.page.evaluate((wanted) => {
      const spans = [...document.querySelectorAll('.editor-instance .view-line span > span')];
      return spans
        .filter((span) => wanted === undefined || span.textContent.trim() === wanted)
        .map((span) => getComputedStyle(span).opacity);
    }, word);
  await eventually(async () => {
    const all = new Set(await opacities());
    assert.ok(all.has('0.4') && all.has('0.7'), `opacities: ${[...all]}`);
    const hot = await opacities('def');
    assert.ok(hot.includes('1'), `of def: ${hot}`);
  });
  await editor.shoot('style-spotlight');

  await editor.command('Codegaze: Choose Heat Style…');
  await editor.pick('off');
  await eventually(async () => {
    assert.deepEqual((await editor.painted()).boxes, []);
    assert.deepEqual(new Set(await opacities()), new Set(['1']));
  });
  await editor.set({ 'codegaze.style': 'background', 'codegaze.minLevel': 4 });
  await editor.expectHeat(analysis, { minLevel: 4 });
  // A value that is not a level is the default.
  await editor.set({ 'codegaze.minLevel': 9 });
  await editor.expectHeat(analysis, { minLevel: 3 });
  await editor.set({ '[python]': { 'codegaze.enabled': false }, 'codegaze.minLevel': 1 });
  await eventually(async () => assert.equal((await editor.heat()).levels.size, 0));
  await editor.set({ '[python]': null });
  await editor.expectHeat(analysis);
  // Where the levels begin is the server's business: everything is of the fifth now, and of the former levels again.
  await editor.set({ 'codegaze.levelQuantiles': [0, 0, 0, 0, 0] });
  await eventually(async () => {
    const { levels } = await editor.heat();
    assert.deepEqual(new Set(levels.values()), new Set([5]));
  });
  await editor.set({ 'codegaze.levelQuantiles': null });
  await editor.expectHeat(analysis);

  assert.match((await editor.status()) ?? '', /codegaze-mini/);
  await editor.openFile('notes.md');
  // The tab changes before the lines do.
  await editor.page.locator('.editor-instance .view-line', { hasText: 'Nothing here.' }).waitFor();
  await eventually(async () => assert.equal(await editor.status(), null));
  assert.equal((await editor.heat()).levels.size, 0);
  await editor.close();
});

test('heat follows the theme', async () => {
  const workspace = server.workspace({ 'fibonacci.py': example('fibonacci.py') });
  const editor = await server.open(workspace, { file: 'fibonacci.py' });
  const analysis = analyze(join(workspace, 'fibonacci.py'));
  await editor.expectHeat(analysis);
  const background = () =>
    editor.page.evaluate(() => getComputedStyle(document.querySelector('.monaco-editor-background')).backgroundColor);
  assert.equal(await background(), 'rgb(31, 31, 31)');

  await editor.set({ 'workbench.colorTheme': 'Default Light Modern' });
  await eventually(async () => assert.equal(await background(), 'rgb(255, 255, 255)'));
  await editor.expectHeat(analysis);
  await editor.shoot('theme-light');

  for (const [theme, name, border] of [
    ['Default High Contrast', 'theme-high-contrast', 'rgb(240, 228, 66)'],
    ['Default High Contrast Light', 'theme-high-contrast-light', 'rgb(0, 114, 178)'],
  ]) {
    await editor.set({ 'workbench.colorTheme': theme });
    // Contrast themes have frames, and text on its own background.
    await eventually(async () => {
      const { boxes } = await editor.painted();
      const strongest = boxes.filter((box) => box.outline === `2px solid ${border}`);
      const words = analysis.lexemes.filter(({ level }) => level === 5).map(({ text }) => text);
      assert.ok(strongest.length > 0, JSON.stringify(boxes.slice(0, 5)));
      for (const { text } of strongest)
        assert.ok(
          words.some((word) => text.includes(word)),
          `${text} is not of level 5`,
        );
      assert.equal((await editor.heat()).levels.size, 0);
    });
    await editor.shoot(name);
  }

  // A person's own colors win.
  await editor.set({ 'workbench.colorCustomizations': { 'codegaze.level5Background': '#ff000080' } });
  await eventually(async () => {
    const { boxes } = await editor.painted();
    assert.ok(
      boxes.some((box) => /^rgba\(255, 0, 0, 0\.5/.test(box.background)),
      'no box in the chosen color',
    );
  });
  await editor.close();
});

test('outlines show what the word at the cursor attends to', async () => {
  const workspace = server.workspace({ 'fibonacci.py': example('fibonacci.py') });
  const editor = await server.open(workspace, { file: 'fibonacci.py', settings: { 'codegaze.cursorAttention': true } });
  await editor.expectHeat(analyze(join(workspace, 'fibonacci.py')));
  await editor.goToLine(6, 6);
  const outlines = async () => {
    const { boxes } = await editor.painted();
    const of = (border) => boxes.filter((box) => box.border === border).map(({ text }) => text);
    return {
      query: of('2px double rgb(212, 212, 212)'),
      attendsTo: of('2px solid rgb(230, 159, 0)'),
      attendedBy: of('2px dashed rgb(204, 121, 167)'),
    };
  };
  await eventually(async () => {
    const { query, attendsTo, attendedBy } = await outlines();
    assert.deepEqual(query, ['fibonacci']);
    assert.ok(attendsTo.length > 0 && attendsTo.length <= 5, `attends to ${attendsTo}`);
    assert.ok(attendedBy.length > 0, 'nothing attends to it');
  });
  // Marks in the overview ruler, in the same colors.
  await eventually(async () => {
    const marks = await editor.page.evaluate(() => {
      const ruler = document.querySelector('.editor-instance canvas.decorationsOverviewRuler');
      const { data } = ruler.getContext('2d').getImageData(0, 0, ruler.width, ruler.height);
      const seen = new Set();
      for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) seen.add(data.slice(at, at + 3).join());
      return [...seen];
    });
    for (const color of ['230,159,0', '204,121,167']) assert.ok(marks.includes(color), `${color} is not in ${marks}`);
  });
  await editor.shoot('cursor-attention');
  // A double click selects the word, and the cursor is then before the parenthesis.
  await editor.pointAt('def fibonacci(', 'fibonacci');
  await editor.page.mouse.dblclick(...(await editor.pointer()));
  await eventually(async () => {
    const { query } = await outlines();
    assert.deepEqual(query, ['fibonacci']);
    assert.match((await editor.cursor()).text, /9 selected/);
  });
  // The command explains the word, too.
  await editor.command('Codegaze: Explain the Word at the Cursor');
  const explained = editor.page.locator('.monaco-hover', { hasText: 'as much as to an average lexeme here' });
  await explained.waitFor();
  assert.match(await explained.textContent(), /fibonacci · [\d.]+× average/);
  await editor.page.keyboard.press('Escape');
  // From hot word to hot word.
  const hot = analyze(join(workspace, 'fibonacci.py')).lexemes.filter(({ level }) => level >= 4);
  await editor.goToLine(1);
  for (const { range } of hot.slice(0, 2)) {
    await editor.command('Codegaze: Go to Next Hot Word');
    await eventually(async () => {
      const { line, column } = await editor.cursor();
      assert.deepEqual([line, column], [range.start.line + 1, range.start.character + 1]);
    });
  }
  await editor.goToLine(6, 6);
  await editor.command('Codegaze: Toggle Attention of the Word at the Cursor');
  await eventually(async () => assert.deepEqual(await outlines(), { query: [], attendsTo: [], attendedBy: [] }));
  await editor.close();
});
