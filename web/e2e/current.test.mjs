// The page shows, exports, stores and shares only what belongs to the text in the editor.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
  analyze,
  caretAt,
  content,
  download,
  eventually,
  launch,
  open,
  serve,
  settled,
  shows,
  type,
  withPage,
} from './support.mjs';

let browser;
let server;

before(async () => {
  [browser, server] = await Promise.all([launch(), serve()]);
});
after(async () => {
  await browser?.close();
  await server?.end();
});

const OLD = 'def area(width, height):\n    return width * height\n';
const NEW = 'class Total:\n    amount = 7\n';

const opacity = (page, selector) =>
  page.locator(selector).evaluate((element) => Number(getComputedStyle(element).opacity));

test('after a paste, the old text’s pictures are dimmed at once, and an export waits for the new text', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, OLD);
    await shows(page, analyze('old.py', OLD));
    await caretAt(page, 0, 5);
    await eventually(async () => assert.match(await page.textContent('#word-line'), /^area lift /));
    for (const pane of ['matrix', 'heads', 'model', 'word', 'summary', 'compare']) {
      await open(page, pane);
      await settled(page);
      await eventually(async () => assert.equal(await opacity(page, `#pane-${pane}`), 1));
      const { waiting } = await server.heldBack(async () => {
        await type(page, NEW);
        assert.ok((await opacity(page, `#pane-${pane}`)) < 0.5, `${pane} is not dimmed`);
        assert.ok((await opacity(page, '#word-line')) < 0.5);
        const pending = Promise.all([page.waitForEvent('download'), page.click('#export-json')]);
        // Nothing is written while the answer is missing.
        const first = await Promise.race([pending.then(() => 'file'), page.waitForTimeout(700).then(() => 'none')]);
        assert.equal(first, 'none');
        // The promise itself would be awaited here.
        return { waiting: pending };
      });
      const [file] = await waiting;
      const exported = readFileSync(await file.path(), 'utf8');
      const { text, words, matrix } = JSON.parse(exported);
      assert.equal(text, NEW);
      assert.ok(words.some((word) => word.text === 'Total' || word.text === 'amount'));
      assert.ok(!exported.includes('height'), `the export of ${pane} has words of the old text`);
      if (matrix) assert.deepEqual(matrix.labels.slice(0, 2), ['class', 'Total']);
      await eventually(async () => assert.equal(await opacity(page, `#pane-${pane}`), 1));
      await type(page, OLD);
      await shows(page, analyze('old.py', OLD));
      await settled(page);
    }
  }));

test('an export without an answer is refused, and says so', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, OLD);
    await shows(page, analyze('old.py', OLD));
    await settled(page);
    await server.heldBack(async () => {
      await type(page, NEW);
      await page.click('#export-svg');
      await eventually(
        async () =>
          assert.match(await page.textContent('#notice'), /Nothing was exported: the analysis .* is not finished/),
        15_000,
      );
    });
    await shows(page, analyze('new.py', NEW));
  }));

test('the skip link does not put the text into the address', () =>
  withPage(
    browser,
    server.address,
    async (page) => {
      await page.focus('.skip');
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'panes');
      await type(page, OLD);
      await shows(page, analyze('old.py', OLD));
      await page.waitForTimeout(900);
      assert.equal(new URL(page.url()).hash, '#about');
    },
    // A fragment of another page, such as of one that linked here.
    { fragment: '#about' },
  ));

test('a reload keeps the text and the settings, and another tab does not get them', () =>
  withPage(browser, server.address, async (page, context) => {
    await type(page, NEW);
    await page.selectOption('#method', 'norm');
    await page.selectOption('#language', 'ruby');
    await open(page, 'summary');
    await shows(page, analyze('new.py', NEW, '--method', 'norm'));
    await page.reload();
    await shows(page, analyze('new.py', NEW, '--method', 'norm'));
    assert.equal(await page.inputValue('#language'), 'ruby');
    assert.ok(await page.isVisible('#pane-summary'));
    assert.equal(new URL(page.url()).hash, '');
    const other = await context.newPage();
    await other.goto(server.address);
    await eventually(async () => assert.match(await content(other).textContent(), /fibonacci|remembered/));
  }));

test('the JSON has every word with the program’s numbers, also of level 0', () =>
  withPage(browser, server.address, async (page) => {
    const { lexemes } = analyze('old.py', OLD);
    await type(page, OLD);
    await page.selectOption('#language', 'python');
    await shows(page, analyze('old.py', OLD));
    const { format, words } = JSON.parse(readFileSync(await download(page, 'json'), 'utf8'));
    assert.equal(format, 'codegaze-page/1');
    assert.deepEqual(
      words.map(({ text, level, rank }) => ({ text, level, rank })),
      lexemes.map(({ text, level, rank }) => ({ text, level, rank })),
    );
    assert.ok(words.some(({ level }) => level === 0));
    for (const [at, { share, lift }] of words.entries()) {
      assert.ok(Math.abs(share - lexemes[at].share) < 1e-5);
      assert.ok(Math.abs(lift - lexemes[at].lift) < 1e-3);
    }
  }));

test('the word and the summary are exported as they are shown, and not as a matrix', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, OLD);
    await shows(page, analyze('old.py', OLD));
    await caretAt(page, 0, 5);
    for (const [pane, caption, facts] of [
      ['word', 'area attends to', /area at 1:5 · lift [\d.]+× · share of its chunk [\d.]+ % · rank \d+ · level /],
      [
        'summary',
        'Lines, strongest first',
        /attention on &lt;s&gt; and &lt;\/s&gt; [\d.]+ % · on whitespace [\d.]+ % · chunks 1 · subwords \d+</,
      ],
    ]) {
      await open(page, pane);
      await page.waitForSelector(`#pane-${pane} tbody tr`);
      await settled(page);
      const path = await download(page, 'svg');
      assert.match(path, new RegExp(`codegaze-${pane}\\.svg$`));
      const svg = readFileSync(path, 'utf8');
      assert.ok(svg.includes(`>${caption}<`), svg.slice(0, 600));
      assert.match(svg, facts);
      const shown = await page.locator(`#pane-${pane} tbody tr`).count();
      assert.ok(shown > 3);
      assert.equal(svg.match(/<rect [^>]*rx="2"/g).length, shown);
      assert.ok(!svg.includes('crispEdges'), 'there is a matrix in it');
      assert.equal(JSON.parse(readFileSync(await download(page, 'json'), 'utf8')).matrix, null);
    }
  }));

test('characters without a shape are visible in the editor and in the panes', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, 'a = "x\u202ey\u200bz\u2066"  # \u0000 👩‍👧\n');
    await eventually(async () => {
      const marks = await content(page).evaluate((element) =>
        [...element.querySelectorAll('.cm-specialChar')].map((mark) => mark.textContent),
      );
      assert.deepEqual(marks, ['U+202E', 'U+200B', 'U+2066', 'U+0000']);
    });
    await settled(page);
    await open(page, 'summary');
    await settled(page);
    const text = await page.textContent('#pane-summary');
    for (const hidden of ['\u0000', '\u200b', '\u202e', '\u2066']) assert.ok(!text.includes(hidden));
    assert.match(text, /⟨U\+202E⟩/);
  }));
