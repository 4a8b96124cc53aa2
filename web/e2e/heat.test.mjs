// The editor: heat on the right words while one types, styles, what the word at the cursor attends to.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  analyze,
  caretAt,
  content,
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
  [browser, server] = await Promise.all([launch(), serve()]);
});
after(async () => {
  await browser?.close();
  await server?.end();
});

const TEXT = 'def größe(liste):\n    """👩‍👧 counted"""\n    return sum(liste) / len(liste)\n';

test('the first example has the heat that the program gives it', () =>
  withPage(browser, server.address, async (page) => {
    const text = readFileSync(join(root, 'examples/fibonacci.py'), 'utf8');
    await shows(page, analyze('fibonacci.py', text));
    assert.match(await page.textContent('#state'), /codegaze-mini · .*ms/);
  }));

test('what is typed has its heat, on the right words, also after letters outside the BMP', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, TEXT);
    await shows(page, analyze('typed.py', TEXT));
    // In the middle, key by key.
    await caretAt(page, 2, 0);
    await page.keyboard.press('End');
    await page.keyboard.type(' + 1', { delay: 15 });
    const longer = TEXT.replace('len(liste)', 'len(liste) + 1');
    await shows(page, analyze('longer.py', longer));
    await page.keyboard.press('Control+z');
    await shows(page, analyze('typed.py', TEXT));
  }));

test('while one types fast, old heat moves with its words, and the last text’s comes', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, TEXT);
    const analysis = analyze('typed.py', TEXT);
    await shows(page, analysis);
    await caretAt(page, 0, 0);
    // Before any answer can come, everything is a line lower.
    const lower = await server.heldBack(async () => {
      await page.keyboard.press('Enter');
      return painted(page);
    });
    const moved = lower.map((word) => word.replace(/^(\d+)/, (line) => String(Number(line) - 1)));
    assert.ok(moved.length > 0);
    assert.ok(moved.every((word) => hotWords(analysis).includes(word)));
    for (let round = 0; round < 30; round++) await page.keyboard.type('x = y\n');
    await shows(page, analyze('fast.py', `\n${'x = y\n'.repeat(30)}${TEXT}`.replace(/^\n/, '\n')));
  }));

test('styles: underlines, a spotlight, nothing', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, TEXT);
    const analysis = analyze('typed.py', TEXT);
    await shows(page, analysis);
    await page.selectOption('#style', 'underline');
    await shows(page, analysis, 'line');
    await page.selectOption('#style', 'spotlight');
    assert.deepEqual(await painted(page), []);
    const lit = analysis.lexemes.filter(({ level }) => level >= 4).map(({ text }) => text);
    const opacities = await content(page).evaluate((element) =>
      [...element.querySelectorAll('.dim-far, .dim-half')].map((dimmed) => [
        dimmed.textContent,
        getComputedStyle(dimmed).opacity,
      ]),
    );
    assert.ok(opacities.length > 3);
    for (const [text, opacity] of opacities) {
      assert.ok(['0.4', '0.7'].includes(opacity));
      assert.ok(!lit.includes(text), text);
    }
    await page.selectOption('#style', 'off');
    assert.deepEqual([await painted(page), await painted(page, 'line')], [[], []]);
    await page.selectOption('#style', 'background');
    await shows(page, analysis);
  }));

test('another method, layer, head or way with sinks is another heat, the program’s', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, TEXT);
    await shows(page, analyze('typed.py', TEXT));
    await page.selectOption('#method', 'norm');
    await shows(page, analyze('typed.py', TEXT, '--method', 'norm'));
    await page.selectOption('#layers', '2');
    await page.selectOption('#heads', '3');
    await shows(page, analyze('typed.py', TEXT, '--method', 'norm', '--layers', '2', '--heads', '3'));
    await page.selectOption('#sinks', 'keep');
    const kept = ['--method', 'norm', '--layers', '2', '--heads', '3', '--sinks', 'keep'];
    await shows(page, analyze('typed.py', TEXT, ...kept));
    // Another method begins with its own layers.
    await page.selectOption('#method', 'rollout');
    assert.equal(await page.inputValue('#layers'), 'default');
    await shows(page, analyze('typed.py', TEXT, '--method', 'rollout', '--heads', '3', '--sinks', 'keep'));
  }));

test('examples in ten languages, each with its colors and its heat', () =>
  withPage(browser, server.address, async (page) => {
    const names = await page
      .locator('#example option')
      .evaluateAll((all) => all.map(({ value }) => value).filter(Boolean));
    assert.equal(names.length, 10);
    for (const name of names) {
      await page.selectOption('#example', name);
      const text = readFileSync(join(root, 'examples', name), 'utf8');
      const expected = hotWords(analyze(name, text));
      await eventually(async () => {
        // CodeMirror draws what is visible.
        const shown = await painted(page);
        assert.ok(shown.length > 10);
        assert.deepEqual(shown, expected.slice(0, shown.length));
      });
      const colors = await content(page).evaluate(
        (element) =>
          new Set([...element.querySelectorAll('.cm-line span')].map((span) => getComputedStyle(span).color)).size,
      );
      assert.ok(colors >= 3, `${name} has ${colors} colors`);
    }
  }));

test('the word at the cursor: outlines, its line, its pane', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, TEXT);
    await shows(page, analyze('typed.py', TEXT));
    await caretAt(page, 2, 12);
    await page.waitForFunction(() => document.querySelector('#word-line b')?.textContent === 'sum');
    assert.equal(await page.locator('.outline-query').textContent(), 'sum');
    assert.ok((await page.locator('.outline-attends-to').count()) > 0);
    await open(page, 'word');
    await settled(page);
    const { lexemes } = analyze('typed.py', TEXT);
    const sum = lexemes.find(({ text }) => text === 'sum');
    const facts = await page.textContent('#pane-word .facts');
    assert.match(facts, new RegExp(`rank${sum.rank}level`));
    assert.match(facts, new RegExp(`${sum.lift.toFixed(1)}×`));
    const rows = await page.locator('#pane-word table').first().locator('tbody tr').count();
    assert.equal(rows, Math.min(50, lexemes.length));
    await shoot(page, 'word');
    // A word of the list leads to that word.
    const target = page.locator('#pane-word table').first().locator('.word').first();
    const text = await target.textContent();
    await target.click();
    await page.waitForFunction((word) => document.querySelector('#word-line b')?.textContent === word, text);
  }));

test('a text of nothing is said to be one, and what comes after it is analyzed', () =>
  withPage(browser, server.address, async (page) => {
    await settled(page);
    await type(page, ' \n\n');
    await page.waitForFunction(() =>
      /nothing but whitespace/.test(document.querySelector('#nothing')?.textContent ?? ''),
    );
    await type(page, TEXT);
    await shows(page, analyze('typed.py', TEXT));
    assert.equal(await page.textContent('#nothing'), '');
  }));
