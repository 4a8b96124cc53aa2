// What is beside the editor: matrix, head view, model view, summary, comparison.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  analyze,
  caretAt,
  content,
  download,
  eventually,
  hotWords,
  launch,
  open,
  painted,
  root,
  serve,
  settled,
  shoot,
  shows,
  type,
  withPage,
} from './support.mjs';

let browser;
let server;

before(async () => {
  [browser, server] = await Promise.all([
    launch(),
    serve(['--model', 'embedded', '--model', join(root, 'crates/codegaze-mini/model')]),
  ]);
});
after(async () => {
  await browser?.close();
  await server?.end();
});

const TEXT =
  'def area(width, height):\n    return width * height\n\n\ndef print_area(width):\n    print(area(width, 2))\n';

/** What the page has of the open pane, by its own export. */
const data = async (page) => JSON.parse(readFileSync(await download(page, 'json'), 'utf8'));

const percent = (weight) => {
  const hundred = 100 * weight;
  if (hundred > 0 && hundred < 0.01) return '<0.01 %';
  return `${hundred.toFixed(hundred < 1 ? 2 : hundred < 10 ? 1 : 0)} %`;
};

/** B minus A, cell by cell. */
const isDifference = ({ a, b, difference }) => {
  for (const [query, row] of difference.entries())
    for (const [key, value] of row.entries())
      assert.ok(Math.abs(value - (b.weights[query][key] - a.weights[query][key])) < 1e-6);
};

/** Both sides show the same. */
const noDifference = (page) =>
  eventually(async () => {
    const { comparison } = await data(page);
    assert.ok(comparison.difference.flat().every((value) => value === 0));
  });

const sum = (row) => row.reduce((a, b) => a + b, 0);

test('the matrix: of the definition at the cursor, by pointer and keyboard', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, TEXT);
    await caretAt(page, 1, 11);
    await page.waitForFunction(() => /Lines 1–2 /.test(document.querySelector('#subtitle')?.textContent ?? ''));
    const { matrix } = await data(page);
    const { lexemes } = analyze('area.py', TEXT);
    assert.deepEqual(
      matrix.labels,
      lexemes.filter(({ range }) => range.start.line < 2).map(({ text }) => text),
    );
    // The caret's word is told of before anything is pointed at.
    const width = matrix.labels.lastIndexOf('width');
    assert.equal(
      await page.textContent('#matrix-sentence'),
      `width gives ${percent(matrix.weights[width][width])} of its attention to itself`,
    );
    await page.focus('#matrix');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    const said = `${matrix.labels[1]} attends to ${matrix.labels[2]}: ${percent(matrix.weights[1][2])}`;
    assert.equal(await page.textContent('#live'), said);
    // Both words are framed in the source.
    assert.equal(await page.locator('.outline-query').textContent(), matrix.labels[1]);
    assert.equal(await page.locator('.outline-attends-to').textContent(), matrix.labels[2]);
    await page.keyboard.press('Enter');
    await page.waitForFunction(
      (word) => document.querySelector('#word-line b')?.textContent === word,
      matrix.labels[2],
    );
    const box = await page.locator('#matrix').boundingBox();
    await page.mouse.move(box.x + box.width / 3, box.y + box.height / 2);
    await eventually(async () =>
      assert.match(await page.textContent('#matrix-sentence'), / gives .* of its attention to /),
    );
    await shoot(page, 'matrix-light');
    // Another definition, and the whole.
    await caretAt(page, 5, 5);
    await page.waitForFunction(() => /Lines 5–6 /.test(document.querySelector('#subtitle')?.textContent ?? ''));
    await page.selectOption('#part', 'chunk');
    await page.waitForFunction(() => /Lines 1–6 /.test(document.querySelector('#subtitle')?.textContent ?? ''));
    const whole = await data(page);
    assert.equal(whole.matrix.labels.length, lexemes.length);
    for (const row of whole.matrix.weights) assert.ok(Math.abs(sum(row) - 1) < 1e-3);
    await page.selectOption('#unit', 'subword');
    await eventually(async () => assert.equal((await data(page)).matrix.unit, 'subword'));
  }));

test('the head view: step through layers and heads, and the heat follows', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, TEXT);
    await caretAt(page, 0, 4);
    await open(page, 'heads');
    await page.click('#head-after');
    await page.waitForFunction(() => document.querySelector('#head-now')?.textContent === 'head 0');
    assert.ok(await page.isDisabled('#head-before'));
    for (let head = 1; head < 8; head++) await page.click('#head-after');
    await page.waitForFunction(() => document.querySelector('#head-now')?.textContent === 'head 7');
    assert.ok(await page.isDisabled('#head-after'));
    await page.click('#layer-before');
    await page.click('#layer-before');
    await page.waitForFunction(() => document.querySelector('#layer-now')?.textContent === 'layer 3');
    assert.deepEqual([await page.inputValue('#layers'), await page.inputValue('#heads')], ['3', '7']);
    await shows(page, analyze('area.py', TEXT, '--layers', '3', '--heads', '7'));
    await settled(page);
    const { matrix } = await data(page);
    await page.focus('#arcs');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const row = matrix.weights[1];
    const best = row.indexOf(Math.max(...row));
    const said = await page.textContent('#live');
    assert.ok(said.startsWith(`${matrix.labels[1]} attends to ${matrix.labels[best]} ${percent(row[best])}`), said);
    await page.keyboard.press('ArrowRight');
    assert.match(await page.textContent('#live'), /is attended by/);
    await shoot(page, 'heads-light');
    // A word that is clicked is gone to.
    await page.locator('#arcs').click({ position: { x: 30, y: 5 } });
    await page.waitForFunction(() => document.querySelector('#word-line b')?.textContent === 'def');
  }));

test('the model view: every layer and head; a click looks closer', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, TEXT);
    await open(page, 'model');
    await page.waitForSelector('.thumbnail');
    assert.equal(await page.locator('.thumbnail').count(), 6 * 8);
    await shoot(page, 'model-light');
    await page.click('.thumbnail[data-layer="1"][data-head="6"]');
    await page.waitForSelector('#pane-matrix:visible');
    await page.waitForFunction(() => /layer 1, head 6/.test(document.querySelector('#subtitle')?.textContent ?? ''));
    await shows(page, analyze('area.py', TEXT, '--layers', '1', '--heads', '6'));
    await open(page, 'model');
    await eventually(async () =>
      assert.equal(await page.locator('.thumbnail[aria-pressed="true"]').getAttribute('aria-label'), 'Layer 1, head 6'),
    );
    // The keyboard walks from there.
    await page.focus('.thumbnail[aria-pressed="true"]');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /layer 2, head 6/.test(document.querySelector('#subtitle')?.textContent ?? ''));
  }));

test('the summary: definitions, lines and words, as the program counts them', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, TEXT);
    await open(page, 'summary');
    await page.waitForSelector('#pane-summary table');
    const analysis = analyze('area.py', TEXT);
    const table = (caption) => page.locator(`#pane-summary table:has(caption:text-is("${caption}"))`);
    const cells = (rows) =>
      rows.locator('tr').evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
    const lines = await cells(table('Lines, strongest first').locator('tbody'));
    const expected = [...analysis.lines]
      .sort((a, b) => b.share - a.share)
      .map(({ line, share }) => [TEXT.split('\n')[line].trim(), String(line + 1), percent(share), '']);
    assert.deepEqual(lines, expected);
    const definitions = await cells(table('Definitions').locator('tbody'));
    assert.deepEqual(
      definitions.map(([name]) => name),
      ['area', 'print_area'],
    );
    const words = await cells(table('Words').locator('tbody'));
    const best = analysis.lexemes.find(({ rank }) => rank === 1);
    assert.deepEqual(words[0].slice(0, 2), [best.text, String(best.range.start.line + 1)]);
    await shoot(page, 'summary-light');
    await table('Definitions').locator('.word').nth(1).click();
    await eventually(async () => assert.equal(await page.locator('.cm-activeLineGutter').textContent(), '5'));
  }));

test('definitions follow the language that the user chooses', () =>
  withPage(browser, server.address, async (page) => {
    const GO =
      'const limit = 3\n\ntype Store struct {\n\titems []int\n}\n\nfunc (s *Store) Add(item int) {\n\ts.items[0] = item\n}\n';
    const RUBY =
      'import = 1\nclass Store\n  def add(item)\n    @items << item\n  end\nend\n\ndef clear(items)\n  []\nend\n';
    const definitions = page.locator('#pane-summary table:has(caption:text-is("Definitions")) tbody tr .word');
    const has = (names) => eventually(async () => assert.deepEqual(await definitions.allTextContents(), names));
    await open(page, 'summary');
    for (const [text, language, names] of [
      [GO, 'go', ['Store', 'Add']],
      [RUBY, 'ruby', ['Store', 'clear']],
    ]) {
      await page.selectOption('#language', 'javascript');
      await type(page, text);
      await settled(page);
      await has([]);
      await page.selectOption('#language', language);
      await has(names);
      await page.reload();
      await has(names);
      await page.selectOption('#language', 'javascript');
      await has([]);
    }
    // The matrix of "this definition", too.
    await page.selectOption('#language', 'ruby');
    await caretAt(page, 8, 2);
    await open(page, 'matrix');
    const subtitle = (lines) =>
      page.waitForFunction((text) => document.querySelector('#subtitle')?.textContent?.startsWith(text), lines);
    await subtitle('Lines 8–10 ');
    await page.selectOption('#language', 'javascript');
    await subtitle('Lines 1–10 ');
  }));

test('compare methods, layers and models: B minus A, zero in the middle', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, TEXT);
    await page.selectOption('#part', 'chunk');
    await open(page, 'compare');
    await page.waitForFunction(() => /norm-weighted/.test(document.querySelector('#caption-b')?.textContent ?? ''));
    assert.match(await page.textContent('#caption-a'), /attention received, layer 5/);
    const { comparison } = await data(page);
    const { a, b, difference, labels } = comparison;
    isDifference(comparison);
    for (const row of difference) assert.ok(Math.abs(sum(row)) < 1e-3, 'what one gains another loses');
    // Half as many cells as there are rows lie beyond the end of the scale.
    const sizes = difference
      .flat()
      .map(Math.abs)
      .sort((one, other) => other - one);
    const greatest = sizes[Math.floor(labels.length / 2)];
    assert.match(await page.textContent('#signed-scale-note'), new RegExp(`end at ${percent(greatest)} `));
    const ticks = await page.locator('#signed-ticks li').allTextContents();
    assert.deepEqual(ticks, [
      `−${percent(greatest)}`,
      `−${percent(greatest / 4)}`,
      '0',
      `+${percent(greatest / 4)}`,
      `+${percent(greatest)}`,
    ]);
    await page.focus('#matrix-difference');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    const signed = `${difference[1][1] < 0 ? '−' : '+'}${percent(Math.abs(difference[1][1]))}`;
    assert.equal(
      await page.textContent('#live'),
      `${labels[1]} to ${labels[1]}: ${percent(a.weights[1][1])} in A, ${percent(b.weights[1][1])} in B: ${signed}`,
    );
    await shoot(page, 'compare-light');

    await page.click('#swap');
    await page.waitForFunction(() => /norm-weighted/.test(document.querySelector('#caption-a')?.textContent ?? ''));
    const swapped = await data(page);
    assert.ok(Math.abs(swapped.comparison.difference[1][1] + difference[1][1]) < 1e-6);
    await shows(page, analyze('area.py', TEXT, '--method', 'norm'));

    // Two layers.
    await page.selectOption('#other-method', 'norm');
    await page.selectOption('#other-layers', '0');
    await page.waitForFunction(() =>
      /norm-weighted, layer 0/.test(document.querySelector('#caption-b')?.textContent ?? ''),
    );

    // Two models that are one: no difference at all.
    await page.selectOption('#other-layers', 'default');
    const other = await page.locator('#other-model option').nth(1).getAttribute('value');
    await page.selectOption('#other-model', other);
    await noDifference(page);
    assert.deepEqual(await page.locator('#signed-ticks li').allTextContents(), ['0', '0', '0', '0', '0']);
    await page.selectOption('#model', other);
    await shows(page, analyze('area.py', TEXT, '--method', 'norm'));
  }));

test('compare two models: the words that both have read, and how many are left out', async () => {
  // Its window is 48 subwords: the text is in four chunks.
  const small = join(root, 'tests/fixtures/safetensors');
  const two = await serve(['--model', 'embedded', '--model', small]);
  const text = `${TEXT}\n\nclass Room:\n    def sides(self):\n        return [self.x for x in range(30) if x % 2 == 0]\n`;
  const parts = analyze('rooms.py', text, '--model', small);
  assert.ok(parts.chunks.length > 1);
  try {
    await withPage(browser, two.address, async (page) => {
      await type(page, text);
      await page.selectOption('#part', 'chunk');
      await open(page, 'compare');
      const other = await page.locator('#other-model option').nth(1).getAttribute('value');
      await page.selectOption('#other-model', other);
      await page.selectOption('#other-method', 'received');
      await page.waitForFunction(() =>
        /safetensors: attention received, layer 2/.test(document.querySelector('#caption-b')?.textContent ?? ''),
      );
      const { comparison } = await data(page);
      isDifference(comparison);
      const { labels } = comparison;
      const all = analyze('rooms.py', text).lexemes.length;
      assert.ok(labels.length > 1 && labels.length < all);
      assert.equal(
        await page.textContent('#compare-note'),
        `${all - labels.length} of ${all} words are only in A or only in B, and are left out.`,
      );
      await page.selectOption('#model', other);
      await noDifference(page);
      await shows(page, parts);
    });
  } finally {
    await two.end();
  }
});

test('a file of 500 lines: heat where one looks', () =>
  withPage(browser, server.address, async (page) => {
    const piece = readFileSync(join(root, 'examples/tokenizer.rs'), 'utf8');
    const text = Array.from({ length: 7 }, (_, at) => piece.replaceAll('Token', `Token${at}`))
      .join('\n')
      .split('\n')
      .slice(0, 500)
      .join('\n');
    await type(page, text);
    const expected = new Set(hotWords(analyze('long.rs', text)));
    await page.waitForFunction(() => /chunks/.test(document.querySelector('#state')?.textContent ?? ''), null, {
      timeout: 60_000,
    });
    await eventually(async () => assert.doesNotMatch(await page.textContent('#state'), / of \d+ chunks/), 60_000);
    // At the end, where the caret is, and in the middle. Lines are counted from the first that is drawn.
    const visible = () =>
      content(page).evaluate((element) => {
        const first = element.getRootNode().querySelector('.cm-lineNumbers .cm-gutterElement:nth-child(2)');
        return Number(first?.textContent);
      });
    for (const key of ['Control+End', 'Control+Home']) {
      await content(page).press(key);
      await eventually(async () => {
        const first = await visible();
        const words = (await painted(page)).map((word) =>
          word.replace(/^\d+/, (line) => String(Number(line) + first - 1)),
        );
        assert.ok(words.length > 20);
        for (const word of words) assert.ok(expected.has(word), word);
      });
    }
    await shoot(page, 'long-light');
    await open(page, 'summary');
    await page.waitForSelector('#pane-summary caption:text("Chunks")');
  }));

test('a chunk of nearly 512 subwords is drawn once a frame, and only what is visible', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, 'v = w\n'.repeat(124));
    await page.selectOption('#part', 'chunk');
    await page.selectOption('#unit', 'subword');
    await page.waitForFunction(() => document.querySelector('#matrix')?.ariaLabel?.match(/of (\d+) words/)?.[1] > 450);
    for (const [pane, id] of [
      ['matrix', 'matrix'],
      ['heads', 'arcs'],
    ]) {
      await open(page, pane);
      await settled(page);
      const nFrames = 20;
      const counts = await page.evaluate(
        async ([scrollerId, n]) => {
          const element = document.getElementById(scrollerId);
          const canvas = element.querySelector('canvas');
          const box = element.getBoundingClientRect();
          const prototype = CanvasRenderingContext2D.prototype;
          const counted = ['clearRect', 'drawImage', 'putImageData', 'stroke', 'strokeRect', 'fillRect', 'fillText'];
          const originals = counted.map((name) => [name, prototype[name]]);
          let counts = {};
          for (const [name, original] of originals) {
            prototype[name] = function (...args) {
              // The marks of the scales are on other canvases.
              if (this.canvas === canvas || name === 'putImageData') counts[name] = (counts[name] ?? 0) + 1;
              return original.apply(this, args);
            };
          }
          const nextFrame = () => new Promise((next) => requestAnimationFrame(next));
          await nextFrame();
          await nextFrame();
          counts = {};
          for (let frame = 0; frame < n; frame++) {
            // A mouse reports more often than a screen draws.
            for (let step = 0; step < 8; step++) {
              const at = 8 * frame + step;
              const clientX = box.x + (scrollerId === 'arcs' ? 20 : 150 + at);
              const clientY = box.y + 150 + at;
              element.dispatchEvent(new MouseEvent('mousemove', { clientX, clientY, bubbles: true }));
              element.scrollTop += 3;
            }
            await nextFrame();
          }
          await nextFrame();
          for (const [name, original] of originals) prototype[name] = original;
          return counts;
        },
        [id, nFrames],
      );
      const words = (await data(page)).matrix.labels.length;
      assert.ok(words > 450, `${words} subwords`);
      const { clearRect = 0, drawImage = 0, putImageData = 0, stroke = 0, strokeRect = 0, fillText = 0 } = counts;
      const found = `${pane}: ${JSON.stringify(counts)}`;
      assert.ok(clearRect >= 1 && clearRect <= nFrames + 1, found);
      assert.equal(putImageData, 0, found);
      assert.equal(drawImage, pane === 'matrix' ? clearRect : 0, found);
      // Five arcs for each word, and those of the word at the pointer.
      assert.ok(stroke <= (pane === 'matrix' ? 0 : clearRect * (5 * words + words)), found);
      assert.ok(strokeRect <= 4 * clearRect, found);
      // Labels only where there is room, on both sides.
      const rows = Math.ceil((await page.locator(`#${id}`).boundingBox()).height / 8);
      assert.ok(fillText <= clearRect * 2 * rows, found);
    }
  }));

test('a heading names the lines that are drawn, and why not all lines of the definition', async () => {
  const small = join(root, 'tests/fixtures/safetensors');
  const one = await serve(['--model', small]);
  const body = Array.from({ length: 30 }, (_, at) => `    value_${at} = other_${at} + ${at}\n`).join('');
  try {
    await withPage(browser, one.address, async (page) => {
      await type(page, `def long_function(other):\n${body}`);
      await caretAt(page, 12, 6);
      await eventually(async () =>
        assert.match(
          await page.textContent('#subtitle'),
          /^Lines? \d+(–\d+)? of the definition on lines 1–31: the model reads at most 48 subwords at once \(chunk \d+ of 0–\d+\) · /,
        ),
      );
      const { matrix } = await data(page);
      const lines = matrix.ranges.filter(Boolean).map(({ start }) => start.line + 1);
      const [, first, last = first] = /^Lines? (\d+)(?:–(\d+))?/.exec(await page.textContent('#subtitle'));
      assert.deepEqual([Math.min(...lines), Math.max(...lines)], [Number(first), Number(last)]);
      assert.match(await page.getAttribute('#matrix', 'aria-label'), /Lines? \d.* of the definition/);
    });
  } finally {
    await one.end();
  }
});
