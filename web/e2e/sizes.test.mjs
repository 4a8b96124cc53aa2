// The page at its sizes: what is readable, what can be hit, where the numbers are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  analyze,
  caretAt,
  eventually,
  launch,
  open,
  root,
  serve,
  settled,
  shoot,
  shows,
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

const PANES = ['matrix', 'heads', 'model', 'word', 'summary', 'compare'];
const FILE = 'fibonacci.py';
const ready = (page) => shows(page, analyze(FILE, readFileSync(join(root, 'examples', FILE), 'utf8')));

/** Opens a pane and waits for its picture. */
async function openWhole(page, pane) {
  await open(page, pane);
  if (pane === 'compare') await page.waitForFunction(() => document.querySelector('#caption-b')?.textContent !== '');
  if (pane === 'model') await page.waitForSelector('.thumbnail');
  await page.waitForFunction(() => !document.body.classList.contains('stale'));
  await settled(page);
}

for (const [width, height] of [
  [1400, 900],
  [1400, 600],
  [800, 600],
  [360, 640],
  [300, 480],
]) {
  test(`at ${width} × ${height}, the number of a cell is next to the pointer`, () =>
    withPage(
      browser,
      server.address,
      async (page) => {
        await ready(page);
        await settled(page);
        for (const [pane, id] of [
          ['matrix', 'matrix'],
          ['compare', 'matrix-difference'],
          ['heads', 'arcs'],
        ]) {
          await openWhole(page, pane);
          const target = page.locator(`#${id}`);
          await target.scrollIntoViewIfNeeded();
          const box = await target.boundingBox();
          // The part of it that neither the window nor the pane hides.
          const frame = await page.locator(`#pane-${pane}`).boundingBox();
          const left = Math.max(0, box.x, frame.x);
          const top = Math.max(0, box.y, frame.y);
          // A matrix is a square at the upper left.
          const side = pane === 'heads' ? box.height : Math.min(box.width, box.height);
          const right = Math.min(width, box.x + side, frame.x + frame.width);
          const bottom = Math.min(height, box.y + side, frame.y + frame.height);
          const x = pane === 'heads' ? left + 20 : left + 0.8 * (right - left);
          await page.mouse.move(x, top + 0.8 * (bottom - top));
          const tip = target.locator('.matrix-tip');
          await eventually(async () => assert.match(await tip.textContent(), /\d %/));
          const place = await tip.boundingBox();
          assert.ok(place.x >= 0 && place.y >= 0, JSON.stringify(place));
          assert.ok(place.x + place.width <= width && place.y + place.height <= height, JSON.stringify(place));
          if (pane === 'matrix') await shoot(page, `tip-${width}`);
          await page.mouse.move(1, 1);
        }
      },
      { viewport: { width, height } },
    ));
}

for (const colorScheme of ['light', 'dark']) {
  for (const [width, height] of [
    [1400, 900],
    [360, 740],
  ]) {
    test(`${colorScheme}, ${width} × ${height}: everything has room, and targets are large enough`, () =>
      withPage(
        browser,
        server.address,
        async (page) => {
          await ready(page);
          await caretAt(page, 6, 10);
          for (const pane of PANES) {
            await openWhole(page, pane);
            await page.screenshot({
              path: join(root, 'web/e2e/artefacts', `${pane}-${colorScheme}-${width}.png`),
              fullPage: true,
            });
            const small = await page.evaluate(() =>
              [...document.querySelectorAll('button, select, input, [role=tab], a:not(.skip)')]
                .map((element) => ({ element, box: element.getBoundingClientRect() }))
                .filter(({ box }) => box.width > 0 && (box.width < 24 || box.height < 24))
                .map(
                  ({ element, box }) =>
                    `${element.id || element.className || element.textContent}: ${box.width} × ${box.height}`,
                ),
            );
            assert.deepEqual([...new Set(small)], [], `${pane}: targets under 24 pixels`);
            const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            assert.ok(overflow <= 0, `${pane} is ${overflow} pixels too wide`);
            const names = await page
              .locator(`#pane-${pane} td.name`)
              .evaluateAll((all) => all.map((name) => name.getBoundingClientRect().width));
            for (const name of names) assert.ok(name >= 40, `${pane}: a name is ${name} pixels wide`);
            for (const id of { matrix: ['matrix'], compare: ['matrix-a', 'matrix-b', 'matrix-difference'] }[pane] ??
              []) {
              const box = await page.locator(`#${id}`).boundingBox();
              assert.ok(box.width >= 200 && box.height >= 200, `${id} is ${box.width} × ${box.height}`);
            }
            if (pane === 'word' || pane === 'summary') continue;
            // Each picture of weights has a scale with numbers.
            const scales = await page
              .locator(`#pane-${pane} .scale`)
              .evaluateAll((all) => all.map((scale) => scale.clientWidth));
            assert.ok(scales.length > 0 && scales.every((each) => each >= 100), `${pane}: ${scales}`);
            const ticks = await page.locator(`#pane-${pane} .ticks`).allTextContents();
            assert.equal(ticks.length, scales.length);
            for (const numbers of ticks) assert.match(numbers, /\d/);
          }
        },
        { viewport: { width, height }, colorScheme },
      ));
  }
}

test('every control is inside a landmark', () =>
  withPage(browser, server.address, async (page) => {
    await ready(page);
    const outside = await page.evaluate(() =>
      [...document.querySelectorAll('button, select, input, a')]
        .filter((element) => !element.closest('header, main, nav, dialog, .skip'))
        .map((element) => element.id || element.textContent),
    );
    assert.deepEqual(outside, []);
    assert.equal(await page.locator('header #tools').count(), 1);
  }));

test('every control has a help text, or a title that says what it does', () =>
  withPage(browser, server.address, async (page) => {
    await ready(page);
    for (const pane of PANES) {
      await openWhole(page, pane);
      const silent = await page.evaluate(() =>
        [...document.querySelectorAll('button, select, a')]
          .filter((control) => control.checkVisibility() && !control.matches('.skip, .help'))
          .filter((control) => !control.closest('[title]') && !control.closest('.picker')?.querySelector('.help'))
          .map((control) => control.id || control.textContent),
      );
      assert.deepEqual(silent, [], pane);
    }
    await page.click('.picker:has(#language) > .help');
    const box = await page.locator('#help').boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= page.viewportSize().height, 'the help text is cut');
    assert.match(await page.textContent('#help'), /definition/);
    assert.equal(await page.locator('#help a').count(), 0);
  }));

test('every picker explains itself and links to its definition', () =>
  withPage(browser, server.address, async (page, context) => {
    await ready(page);
    await openWhole(page, 'matrix');
    const ids = [
      'model',
      'method',
      'layers',
      'heads',
      'sinks',
      'aggregate',
      'style',
      'min-level',
      'part',
      'unit',
      'scaling',
    ];
    const check = async (id) => {
      const button = page.locator(`.picker:has(#${id}) > .help`);
      await button.click();
      assert.equal(await button.getAttribute('aria-expanded'), 'true');
      assert.ok((await page.textContent('#help p')).length > 40, id);
      assert.match(await page.getAttribute('#help a', 'href'), /^\/ATTRIBUTION\.md#/);
      await page.keyboard.press('Escape');
      assert.equal(await page.isVisible('#help'), false);
    };
    for (const id of ids) await check(id);
    await page.click('.picker:has(#sinks) > .help');
    await shoot(page, 'help');
    const [definition] = await Promise.all([context.waitForEvent('page'), page.click('#help a')]);
    await definition.waitForLoadState();
    assert.match(await definition.textContent('body'), /## 3\. Sinks/);
    await definition.close();
    await openWhole(page, 'compare');
    for (const id of ['model', 'method', 'layers', 'heads', 'sinks', 'aggregate']) await check(`other-${id}`);
  }));

test('one word for lift: in the line below the editor, in Word and in Summary', () =>
  withPage(browser, server.address, async (page) => {
    await ready(page);
    await caretAt(page, 6, 10);
    await eventually(async () => assert.match(await page.textContent('#word-line'), / lift [\d.]+×, rank \d+/));
    await openWhole(page, 'word');
    assert.match(await page.textContent('#pane-word .facts'), /^lift[\d.]+×/);
    await openWhole(page, 'summary');
    const text = await page.textContent('#pane-summary');
    assert.match(text, /wordlinelift/);
    assert.doesNotMatch(text, /mean|average/);
  }));

test('the aggregate can be chosen, and a lower level shows more words', () =>
  withPage(browser, server.address, async (page) => {
    const text = readFileSync(join(root, 'examples', FILE), 'utf8');
    await ready(page);
    const all = await page.locator('#aggregate option').evaluateAll((options) => options.map(({ value }) => value));
    assert.ok(all.length >= 3);
    for (const aggregate of all) {
      await page.selectOption('#aggregate', aggregate);
      await shows(page, analyze(FILE, text, '--aggregate', aggregate));
    }
  }));
