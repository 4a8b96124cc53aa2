// The heatmap panel: draws, answers pointer and keyboard, follows the editor, exports, survives a reload.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { analyze, CodeServer, example } from './codeServer.mjs';
import { eventually } from './editor.mjs';

let server;
before(async () => {
  server = await CodeServer.launch();
});
afterEach((context) => server?.tidy(context));
after(() => server?.close());

const TWO = `def first(alpha, beta):
    return alpha + beta


def second(gamma, delta):
    total = gamma * delta
    return total
`;

async function openPanel(editor) {
  await editor.command('Codegaze: Show Attention Heatmap');
  return editor.drawnPanel();
}

const textOf = (frame, id) => frame.evaluate((each) => document.getElementById(each).textContent, id);

/** Where the middle of a cell is on the screen, and what the matrix' labels are, by their own accessible name. */
async function cellPlace(frame, query, key) {
  const box = await frame.locator('#matrix canvas').boundingBox();
  const { margin, cell } = await frame.evaluate(() => {
    const canvas = document.querySelector('#matrix canvas');
    const spacer = document.querySelector('#matrix .matrix-spacer');
    const n = Number(/of (\d+) words/.exec(document.getElementById('matrix').getAttribute('aria-label'))[1]);
    // The cells' upper left corner: the first pixel of the picture that is opaque from there to the right.
    const context = canvas.getContext('2d');
    const ratio = canvas.width / canvas.clientWidth;
    const { data, width } = context.getImageData(0, 0, canvas.width, canvas.height);
    const isOpaque = (x, y) => data[4 * (y * width + x) + 3] === 255;
    let at = 0;
    while (
      at < width &&
      !(isOpaque(at, at) && isOpaque(at + 3, at) && isOpaque(at, at + 3) && isOpaque(at + 5, at + 5))
    )
      at++;
    const side = spacer.getBoundingClientRect().width;
    return { margin: at / ratio, cell: (side - at / ratio) / n };
  });
  return { x: box.x + margin + (key + 0.5) * cell, y: box.y + margin + (query + 0.5) * cell };
}

test('draws the definition at the cursor, and lights up and jumps to its words', async () => {
  const workspace = server.workspace({ 'two.py': TWO });
  const editor = await server.open(workspace, { file: 'two.py' });
  await eventually(async () => assert.match((await editor.status()) ?? '', /codegaze-mini/), 30_000);
  await editor.goToLine(6, 6);
  const frame = await openPanel(editor);
  assert.match(await textOf(frame, 'title'), /two\.py, lines 5–7/);
  assert.match(await textOf(frame, 'subtitle'), /codegaze-mini: attention received/);

  // Many colors, from dark to bright: a drawing.
  const colors = await frame.evaluate(() => {
    const canvas = document.querySelector('#matrix canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] === 255) seen.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    return [...seen];
  });
  assert.ok(colors.length > 30, `${colors.length} colors`);
  assert.ok(colors.includes(0xfee838), 'the greatest weight is not in the brightest color');

  // def second ( gamma , delta ) : …
  const place = await cellPlace(frame, 1, 3);
  await editor.page.mouse.move(place.x, place.y);
  await eventually(async () =>
    assert.match(await textOf(frame, 'readout'), /^second gives [\d.<]+ % of its attention to gamma$/),
  );
  await eventually(async () => {
    const { boxes } = await editor.painted();
    const outlined = (border) =>
      boxes.filter((box) => box.border === border).map(({ line, text }) => `${line} ${text}`);
    assert.deepEqual(outlined('2px double rgb(212, 212, 212)'), ['5 second']);
    assert.deepEqual(outlined('2px solid rgb(230, 159, 0)'), ['5 gamma']);
  });
  assert.match(await textOf(frame, 'lists'), /[\d.]+ %gammaline \d/);
  await editor.shoot('panel-dark');
  await editor.page.mouse.click(place.x, place.y);
  await eventually(async () => {
    const { line, column, text } = await editor.cursor();
    assert.deepEqual({ line, column, selected: /5 selected/.test(text) }, { line: 5, column: 17, selected: true });
  });
  await editor.page.mouse.move(5, 5);
  await eventually(async () => {
    const { boxes } = await editor.painted();
    assert.ok(!boxes.some(({ border }) => border?.startsWith('2px double')), 'outlines stay');
  });

  // The panel has the focus: it is still known which model serves, and what it is about.
  await frame.locator('#matrix').focus();
  assert.match((await editor.status()) ?? '', /codegaze-mini/);

  // The keyboard alone: the read-out is said.
  await frame.locator('#matrix').focus();
  await editor.page.keyboard.press('ArrowRight');
  await editor.page.keyboard.press('ArrowDown');
  await eventually(async () =>
    assert.match(await textOf(frame, 'live'), /^second attends to itself|^second attends to second/),
  );
  await editor.page.keyboard.press('ArrowRight');
  await eventually(async () => assert.match(await textOf(frame, 'live'), /^second attends to \(: /));
  await editor.page.keyboard.press('Shift+Enter');
  await eventually(async () => {
    const { line, column, text } = await editor.cursor();
    assert.deepEqual({ line, column, selected: /6 selected/.test(text) }, { line: 5, column: 11, selected: true });
  });

  // The word is selected, and the cursor is before the parenthesis: the word is explained.
  await editor.command('Codegaze: Explain the Word at the Cursor');
  const explained = editor.page.locator('.monaco-hover', { hasText: 'as much as to an average lexeme here' });
  await explained.waitFor();
  assert.match(await explained.textContent(), /second · [\d.]+× average/);
  await editor.page.keyboard.press('Escape');

  // Follows the cursor, and edits.
  await editor.focus();
  await editor.goToLine(1, 6);
  await eventually(async () => assert.match(await textOf(frame, 'title'), /two\.py, lines 1–2/));
  await editor.goToLine(2, 24);
  await editor.page.keyboard.type(' * alpha');
  await eventually(async () => {
    const label = await frame.locator('#matrix').getAttribute('aria-label');
    assert.match(label, /of 14 words/);
  });
  await frame.locator('#follow').uncheck();
  // The panel has the focus: a line is gone to in an editor.
  await editor.focus();
  await editor.goToLine(6, 6);
  await editor.page.waitForTimeout(600);
  assert.match(await textOf(frame, 'title'), /lines 1–2/);
  assert.deepEqual(editor.problems, []);
  await editor.close();
});

test('switches layer, head, method and unit; shows all heads; keeps the state over a reload', async () => {
  const workspace = server.workspace({ 'fibonacci.py': example('fibonacci.py') });
  const editor = await server.open(workspace, { file: 'fibonacci.py', viewport: { width: 1600, height: 1000 } });
  await editor.goToLine(6, 6);
  let frame = await openPanel(editor);
  const n = {
    layers: (await frame.locator('#layer option').count()) - 1,
    heads: (await frame.locator('#head option').count()) - 2,
  };
  assert.ok(n.layers > 1 && n.heads > 1, JSON.stringify(n));

  await frame.locator('#thumbnails-toggle').click();
  await eventually(async () => assert.equal(await frame.locator('.thumbnail').count(), n.layers * n.heads));
  const picture = () =>
    frame.evaluate(() => {
      const canvas = document.querySelector('#matrix canvas');
      return canvas.toDataURL();
    });
  const before = await picture();
  await frame.locator('.thumbnail[data-layer="1"][data-head="1"]').click();
  await eventually(async () => {
    assert.equal(await frame.locator('#layer').inputValue(), '1');
    assert.equal(await frame.locator('#head').inputValue(), '1');
    assert.notEqual(await picture(), before);
    assert.equal(await frame.locator('.thumbnail[data-layer="1"][data-head="1"]').getAttribute('aria-pressed'), 'true');
  });
  await editor.page.keyboard.press('ArrowLeft');
  await editor.page.keyboard.press('Enter');
  await eventually(async () => assert.equal(await frame.locator('#head').inputValue(), '0'));
  await editor.shoot('panel-all-heads');
  await frame.locator('#method').selectOption('rollout');
  await eventually(async () => assert.match(await textOf(frame, 'subtitle'), /rollout/));
  await frame.locator('#unit').selectOption('subword');
  await frame.locator('#part').selectOption('chunk');
  await eventually(async () => assert.match(await textOf(frame, 'title'), /lines 1–23/));
  await editor.shoot('panel-chunk');

  // Heat and panel are separate: the panel's view is its own.
  await editor.restore();
  frame = await editor.drawnPanel();
  await eventually(async () => {
    assert.equal(await frame.locator('#unit').inputValue(), 'subword');
    assert.match(await textOf(frame, 'subtitle'), /rollout/);
    assert.equal(await frame.locator('.thumbnail').count(), n.layers * n.heads);
  });
  assert.deepEqual(editor.problems, []);
  await editor.close();
});

test('chooses how weights become colors, and how scores of subwords become one', async () => {
  const workspace = server.workspace({ 'fibonacci.py': example('fibonacci.py') });
  const file = join(workspace, 'fibonacci.py');
  const editor = await server.open(workspace, { file: 'fibonacci.py', viewport: { width: 1400, height: 900 } });
  await editor.expectHeat(analyze(file));
  await editor.goToLine(6, 6);
  let frame = await openPanel(editor);
  const picture = () => frame.evaluate(() => document.querySelector('#matrix canvas').toDataURL());
  const values = await frame.locator('#scaling option').evaluateAll((options) => options.map((option) => option.value));
  assert.deepEqual(values, ['clipped', 'full', 'log', 'rows']);
  assert.match(await textOf(frame, 'color-note'), /^The colors end at [\d.]+ % \(the [\d.]+ % quantile\)/);
  const seen = [await picture()];
  for (const [scaling, note] of [
    ['full', /^The colors end at the greatest weight/],
    ['log', /^The scale is logarithmic/],
    ['rows', /^Each row’s colors end at its greatest weight/],
  ]) {
    await frame.locator('#scaling').selectOption(scaling);
    await eventually(async () => {
      assert.match(await textOf(frame, 'color-note'), note);
      assert.ok(!seen.includes(await picture()), `${scaling}: the colors are those of another scaling`);
    });
    seen.push(await picture());
  }

  // The aggregate is that of the source, whose heat changes; the matrix stays.
  assert.equal(await frame.locator('#aggregate').inputValue(), 'corrected');
  assert.match(await textOf(frame, 'heat-words'), /corrected for length/);
  await editor.page.mouse.move(5, 5);
  const before = await picture();
  await frame.locator('#aggregate').selectOption('sum');
  await editor.expectHeat(analyze(file, '--aggregate', 'sum'));
  await eventually(async () => {
    assert.match(await textOf(frame, 'heat-words'), /the sum over the subwords/);
    assert.equal(await picture(), before);
  });
  assert.equal(await frame.locator('#source-view').isVisible(), false);
  await editor.command('Codegaze: Choose Aggregate of Subwords…');
  await editor.pick('mean');
  await editor.expectHeat(analyze(file, '--aggregate', 'mean'));
  await eventually(async () => assert.equal(await frame.locator('#aggregate').inputValue(), 'mean'));

  await editor.restore();
  frame = await editor.drawnPanel();
  await eventually(async () => {
    assert.equal(await frame.locator('#scaling').inputValue(), 'rows');
    assert.match(await textOf(frame, 'color-note'), /^Each row’s colors/);
  });
  await editor.close();
});

test('tells when the source shows another view, and applies either view to the other', async () => {
  const workspace = server.workspace({ 'fibonacci.py': example('fibonacci.py') });
  const file = join(workspace, 'fibonacci.py');
  const editor = await server.open(workspace, { file: 'fibonacci.py', viewport: { width: 1400, height: 900 } });
  await editor.goToLine(6, 6);
  const frame = await openPanel(editor);
  assert.equal(await frame.locator('#source-view').isVisible(), false);
  await frame.locator('#layer').selectOption('0');
  await frame.locator('#source-view').waitFor();
  assert.match(await textOf(frame, 'source-view-text'), /The source shows another view: .*layer 5/);
  await editor.shoot('panel-other-view');
  await frame.locator('#show-in-source').click();
  await editor.expectHeat(analyze(file, '--layers', '0'));
  await eventually(async () => assert.equal(await frame.locator('#source-view').isVisible(), false));
  await frame.locator('#layer').selectOption('1');
  await frame.locator('#show-source-view').click();
  await eventually(async () => assert.equal(await frame.locator('#layer').inputValue(), '0'));
  // What the pointer is on is visible without scrolling.
  await frame.locator('#matrix').hover({ position: { x: 250, y: 250 } });
  await eventually(async () => assert.match(await textOf(frame, 'readout'), /gives|attends/));
  const bottom = await frame.evaluate(() => document.getElementById('readout').getBoundingClientRect().bottom);
  const height = await frame.evaluate(() => window.innerHeight);
  assert.ok(bottom < height, `the readout ends at ${bottom} of ${height}`);
  await editor.shoot('panel-1400');
  await editor.close();
});

test('themes', async () => {
  const workspace = server.workspace({ 'fibonacci.py': example('fibonacci.py') });
  const editor = await server.open(workspace, { file: 'fibonacci.py' });
  await editor.goToLine(6, 6);
  const frame = await openPanel(editor);
  const label = () =>
    frame.evaluate(() => {
      // The darkest and the lightest of the labels' pixels.
      const canvas = document.querySelector('#matrix canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, 60, canvas.height);
      let light = 0;
      for (let at = 0; at < data.length; at += 4)
        if (data[at + 3] > 250) light = Math.max(light, data[at] + data[at + 1] + data[at + 2]);
      return light;
    });
  const dark = await label();
  for (const [theme, name] of [
    ['Default Light Modern', 'panel-light'],
    ['Default High Contrast', 'panel-high-contrast'],
    ['Default High Contrast Light', 'panel-high-contrast-light'],
  ]) {
    await editor.set({ 'workbench.colorTheme': theme });
    await eventually(async () => {
      const id = await frame.evaluate(() => document.body.dataset.vscodeThemeId);
      assert.equal(id, theme);
      if (theme === 'Default Light Modern') assert.ok((await label()) < dark, 'labels are not drawn anew');
    });
    await editor.page.waitForTimeout(300);
    await editor.shoot(name);
  }
  await editor.close();
});

for (const { name, viewport, width } of [
  { name: '300', viewport: { width: 660, height: 800 }, width: [290, 320] },
  { name: '360', viewport: { width: 780, height: 900 }, width: [340, 380] },
  { name: 'default', viewport: { width: 1400, height: 900 }, width: [450, 560] },
]) {
  test(`shows matrix, number and color scale without scrolling: panel-${name}`, async () => {
    const workspace = server.workspace({ 'fibonacci.py': example('fibonacci.py') });
    const editor = await server.open(workspace, { file: 'fibonacci.py', viewport });
    await editor.expectHeat(analyze(join(workspace, 'fibonacci.py')));
    await editor.command('Notifications: Clear All Notifications');
    // The default split of the widest window has the explorer beside it.
    if (name !== 'default') await editor.page.keyboard.press('Control+B');
    await editor.goToLine(6, 6);
    const frame = await openPanel(editor);
    const place = await cellPlace(frame, 2, 3);
    await editor.page.mouse.move(place.x, place.y);
    await eventually(async () => assert.match(await textOf(frame, 'readout'), /gives [\d.<]+ % of its attention/));
    const sizes = await frame.evaluate(() => {
      const box = (id) => document.getElementById(id).getBoundingClientRect();
      const [matrix, readout, note] = ['matrix', 'readout', 'color-note'].map(box);
      return {
        width: window.innerWidth,
        page: document.body.scrollWidth,
        height: matrix.height,
        shown: window.innerHeight - matrix.top,
        matrixTop: matrix.top,
        readoutBottom: readout.bottom,
        noteBottom: note.bottom,
      };
    });
    for (const theme of ['Default Dark Modern', 'Default Light Modern']) {
      await editor.set({ 'workbench.colorTheme': theme });
      await editor.page.waitForTimeout(500);
      await editor.shoot(`panel-${name}-${theme.split(' ')[1].toLowerCase()}`);
    }
    const found = JSON.stringify(sizes);
    assert.ok(width[0] <= sizes.width && sizes.width <= width[1], found);
    // Nothing sticks out, and readout, scale and matrix are seen at once.
    assert.ok(sizes.page <= sizes.width, found);
    assert.ok(sizes.readoutBottom <= sizes.matrixTop && sizes.noteBottom <= sizes.matrixTop, found);
    assert.ok(sizes.height >= 200 && sizes.shown >= 300, found);
    await editor.close();
  });
}

test('source text is text, and the page may load nothing else', async () => {
  const hostile = 'def f():\n    x = "</script><img src=x onerror=alert(1)><b>bold</b>"\n    return x\n';
  const workspace = server.workspace({ '<img src=x onerror=alert(2)>.py': hostile });
  const editor = await server.open(workspace, { file: '<img src=x onerror=alert(2)>.py' });
  let dialogs = 0;
  editor.page.on('dialog', (dialog) => {
    dialogs += 1;
    void dialog.dismiss();
  });
  const frame = await openPanel(editor);
  await frame.locator('#matrix').focus();
  for (let step = 0; step < 12; step++) {
    await editor.page.keyboard.press('ArrowDown');
    await editor.page.keyboard.press('ArrowRight');
  }
  assert.equal(await frame.evaluate(() => document.querySelectorAll('img, b b, body > script ~ script').length), 0);
  assert.match(await textOf(frame, 'title'), /<img src=x/);
  assert.equal(dialogs, 0);
  // The policy itself: an inline script and a remote picture are refused.
  const refused = await frame.evaluate(
    () =>
      new Promise((done) => {
        const seen = [];
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
          seen.push(effectiveDirective);
          if (seen.length === 2) done(seen.sort());
        });
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
        const image = document.createElement('img');
        image.src = 'https://example.com/x.png';
        document.body.append(image);
        setTimeout(() => done([...seen, 'timeout', window.ran]), 3000);
      }),
  );
  assert.deepEqual(refused, ['img-src', 'script-src-elem']);
  await editor.close();
});

test('exports what it shows', async () => {
  const workspace = server.workspace({ 'two.py': TWO });
  const editor = await server.open(workspace, { file: 'two.py' });
  await editor.goToLine(6, 6);
  const frame = await openPanel(editor);
  const shown = await frame.evaluate(() => document.getElementById('title').textContent);
  assert.equal(shown, 'two.py, lines 5–7');
  await frame.locator('#scaling').selectOption('log');
  await eventually(async () => assert.match(await textOf(frame, 'color-note'), /logarithmic/));
  const note = await textOf(frame, 'color-note');
  const isSvg = (bytes) => {
    const text = bytes.toString();
    // In the colors of the panel.
    assert.ok(text.includes(note), 'the colors are not those of the panel');
    assert.match(text, /<svg.*>gamma<.*<\/svg>/s);
    // The definition alone, under the name and the lines that the panel shows.
    assert.ok(text.includes(shown), 'the heading is not the panel’s');
    assert.ok(!text.includes('>alpha<') && !text.includes('file://'));
  };
  const isData = (bytes) => {
    const data = JSON.parse(bytes.toString());
    assert.deepEqual([data.document, data.lines, data.view.method], ['two.py', { first: 5, last: 7 }, 'received']);
    assert.deepEqual([data.words[1].text, data.words[1].line, data.words[1].column], ['second', 5, 5]);
    assert.deepEqual([data.weights.length, data.weights[0].length], [data.words.length, data.words.length]);
    assert.ok(data.weights.flat().some((weight) => weight > 0));
  };
  for (const [format, check] of [
    ['png', (bytes) => assert.equal(bytes.subarray(1, 4).toString(), 'PNG')],
    ['svg', isSvg],
    ['json', isData],
  ]) {
    const path = join(workspace, `two.py.heatmap.${format}`);
    await frame.locator(`#export-${format}`).click();
    const ok = editor.page.locator('.quick-input-widget .monaco-button', { hasText: 'OK' });
    await ok.waitFor();
    const name = editor.page.locator('.quick-input-widget input.input');
    await eventually(async () => assert.equal(await name.inputValue(), path));
    await ok.click();
    await eventually(() => assert.ok(existsSync(path), `no ${path}`));
    await eventually(() => check(readFileSync(path)));
  }
  await editor.close();
});
