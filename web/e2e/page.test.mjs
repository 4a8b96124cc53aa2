// The page as a whole: links, exports, themes, keyboard, the server's coming and going.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  analyze,
  caretAt,
  content,
  download,
  eventually,
  launch,
  MIN_LEVEL,
  open,
  painted,
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

const TEXT = 'def area(width, height):\n    return width * height  # <script>alert("ü👩‍👧")</script>\n';

test('a link brings back text, view and pane, in another browser and on reload', () =>
  withPage(browser, server.address, async (page) => {
    await type(page, TEXT);
    await page.selectOption('#method', 'norm');
    await page.selectOption('#heads', '2');
    await page.selectOption('#style', 'underline');
    await page.selectOption('#language', 'ruby');
    await open(page, 'heads');
    assert.equal(new URL(page.url()).hash, '', 'nothing is in the address before it is asked for');
    await page.click('#share');
    await page.waitForFunction(() => location.hash.startsWith('#s1='));
    const link = page.url();
    const expected = analyze('shared.rb', TEXT, '--method', 'norm', '--heads', '2');
    const isBack = async (there) => {
      await shows(there, expected, 'line');
      assert.equal(await there.inputValue('#method'), 'norm');
      assert.equal(await there.inputValue('#heads'), '2');
      assert.equal(await there.inputValue('#language'), 'ruby');
      assert.ok(await there.isVisible('#pane-heads'));
    };
    await withPage(browser, server.address, isBack, { fragment: new URL(link).hash });
    // From now on the address follows.
    await caretAt(page, 0, 0);
    await page.keyboard.type('x');
    await page.waitForFunction((before) => location.href !== before, link);
    await page.reload();
    await shows(page, analyze('shared.rb', `x${TEXT}`, '--method', 'norm', '--heads', '2'), 'line');
    // And a link that is opened on the page itself.
    await page.evaluate((hash) => {
      location.hash = hash;
    }, new URL(link).hash);
    await isBack(page);
  }));

test('a damaged link is told, and the page works', () =>
  withPage(
    browser,
    server.address,
    async (page) => {
      await eventually(async () =>
        assert.match(await page.textContent('#notice'), /could not be opened: the link is damaged/),
      );
      await type(page, TEXT);
      await shows(page, analyze('typed.py', TEXT));
    },
    { fragment: '#s1=abcdef' },
  ));

test('exports: each format, of each picture, and nothing in them is markup that was source', () =>
  withPage(browser, server.address, async (page, context) => {
    await type(page, TEXT);
    await shows(page, analyze('typed.py', TEXT));
    await caretAt(page, 0, 5);
    for (const pane of ['matrix', 'heads', 'model', 'word', 'summary', 'compare']) {
      await open(page, pane);
      await page.waitForFunction(
        (name) => name !== 'compare' || document.querySelector('#caption-b')?.textContent !== '',
        pane,
      );
      if (pane === 'model') await page.waitForSelector('.thumbnail');
      await settled(page);
      const svg = readFileSync(await download(page, 'svg'), 'utf8');
      const found = await page.evaluate((text) => {
        const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
        const names = new Set([...parsed.querySelectorAll('*')].map(({ localName }) => localName));
        return { names: [...names].sort(), texts: parsed.querySelectorAll('text').length };
      }, svg);
      assert.ok(!found.names.includes('parsererror') && !found.names.includes('script'), found.names.join());
      const shape = pane === 'word' || pane === 'summary' ? 'rect' : 'path';
      assert.ok(found.texts > 5 && found.names.includes(shape), `${pane}: ${found.names.join()}`);
      const png = readFileSync(await download(page, 'png'));
      assert.deepEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
      const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg);
      assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [2 * width, 2 * height]);
    }
    await open(page, 'matrix');
    await settled(page);
    const path = await download(page, 'html');
    const file = await context.newPage();
    const problems = [];
    const address = pathToFileURL(path).href;
    file.on('console', (message) => problems.push(message.text()));
    file.on('request', (request) => {
      if (request.url() !== address && !request.url().startsWith('data:image/')) problems.push(request.url());
    });
    await file.goto(address);
    assert.equal(await file.locator('pre').textContent(), `${TEXT}\n`);
    assert.equal(await file.locator('script').count(), 0);
    const marks = await file
      .locator('mark')
      .evaluateAll((all) => all.map((mark) => `${mark.textContent} ${mark.className}`));
    const { lexemes } = analyze('typed.py', TEXT);
    assert.deepEqual(
      marks,
      lexemes.filter(({ level }) => level >= MIN_LEVEL).map(({ text, level }) => `${text} l${level}`),
    );
    assert.ok(await file.locator('img').evaluate((image) => image.complete && image.naturalWidth > 100));
    await shoot(file, 'export-html');
    assert.deepEqual(problems, []);
    // The file has the colors of the page, as its picture has, whatever the reader's system prefers.
    for (const theme of ['dark', 'light']) {
      await page.selectOption('#theme', theme);
      await settled(page);
      const surface = await page.evaluate(() => getComputedStyle(document.querySelector('#panes')).backgroundColor);
      await file.goto(pathToFileURL(await download(page, 'html')).href);
      assert.equal(await file.evaluate(() => getComputedStyle(document.body).backgroundColor), surface, theme);
    }
  }));

/** The least contrast of a word's letters on its painted background, WCAG 2. */
const leastContrast = (page) =>
  content(page).evaluate((element) => {
    const parse = (color) => color.match(/[\d.]+/g).map(Number);
    const over = ([r, g, b, a = 1], below) => [r, g, b].map((channel, at) => channel * a + below[at] * (1 - a));
    const luminance = (color) => {
      const [r, g, b] = color.map((channel) => {
        const value = channel / 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const surface = parse(getComputedStyle(element.closest('.cm-editor')).backgroundColor);
    const ratios = [...element.querySelectorAll('[class*="heat-"], [class*="heat-"] *')].map((word) => {
      const box = word.closest('[class*="heat-"]');
      const background = luminance(over(parse(getComputedStyle(box).backgroundColor), surface));
      const letters = luminance(parse(getComputedStyle(word).color).slice(0, 3));
      const [light, dark] = [Math.max(letters, background), Math.min(letters, background)];
      return { text: word.textContent, ratio: (light + 0.05) / (dark + 0.05) };
    });
    return ratios.sort((a, b) => a.ratio - b.ratio)[0];
  });

test('light and dark: as the system has it, or as chosen, and legible', () =>
  withPage(
    browser,
    server.address,
    async (page) => {
      const isDark = () => page.evaluate(() => document.documentElement.dataset.theme === 'dark');
      assert.equal(await isDark(), true);
      const seen = new Set();
      for (const theme of ['dark', 'light']) {
        await page.selectOption('#theme', theme);
        assert.equal(await isDark(), theme === 'dark');
        for (const name of ['fibonacci.py', 'tokenizer.rs', 'Router.php']) {
          await page.selectOption('#example', name);
          await eventually(async () => assert.ok((await painted(page)).length > 20));
          const least = await leastContrast(page);
          assert.ok(least.ratio >= 4.5, `${least.text} of ${name} has ${least.ratio.toFixed(2)} in ${theme}`);
        }
        await page.selectOption('#example', 'fibonacci.py');
        await caretAt(page, 6, 15);
        for (const pane of ['matrix', 'heads', 'model', 'word', 'summary', 'compare']) {
          await open(page, pane);
          await page.waitForTimeout(600);
          await settled(page);
          seen.add(`${theme} ${pane} ${await page.evaluate(() => getComputedStyle(document.body).backgroundColor)}`);
          await shoot(page, `${pane}-${theme}-1280`);
        }
        await page.setViewportSize({ width: 800, height: 900 });
        for (const pane of ['matrix', 'heads', 'summary', 'compare']) {
          await open(page, pane);
          await page.waitForTimeout(300);
          await shoot(page, `${pane}-${theme}-800`);
        }
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`);
        await page.setViewportSize({ width: 1280, height: 800 });
      }
      await page.reload();
      assert.equal(await isDark(), false, 'the choice is remembered');
      await page.selectOption('#theme', 'system');
      assert.equal(await isDark(), true);
      await page.emulateMedia({ colorScheme: 'light' });
      await eventually(async () => assert.equal(await isDark(), false));
    },
    { colorScheme: 'dark' },
  ));

test('by keyboard alone, with names for a screen reader', () =>
  withPage(browser, server.address, async (page) => {
    await eventually(async () => assert.ok((await painted(page)).length > 0));
    // From the start to the editor and out of it.
    const stops = [];
    for (let step = 0; step < 120; step++) {
      await page.keyboard.press('Tab');
      const stop = await page.evaluate(() => {
        let at = document.activeElement;
        while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
        const label = at?.closest('label')?.textContent ?? '';
        const name = at?.getAttribute('aria-label') || label || at?.textContent || '';
        return { id: at?.id || at?.className || at?.tagName, name: name.trim() };
      });
      if (stops.some(({ id, name }) => id === stop.id && name === stop.name)) break;
      stops.push(stop);
    }
    const ids = stops.map(({ id }) => id);
    for (const id of [
      'example',
      'share',
      'export-png',
      'theme',
      'model',
      'sinks',
      'style',
      'language',
      'tab-matrix',
      'part',
      'matrix',
      'zoom-in',
    ]) {
      assert.ok(ids.includes(id), `${id} is not reached: ${ids.join(' ')}`);
    }
    assert.ok(
      ids.some((id) => id.includes('cm-content')),
      ids.join(' '),
    );
    for (const { id, name } of stops) assert.ok(name !== '', `${id} has no name`);

    await page.focus('#tab-matrix');
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('#pane-heads:visible');
    assert.equal(await page.getAttribute('#tab-heads', 'aria-selected'), 'true');
    await page.keyboard.press('End');
    await page.waitForSelector('#pane-compare:visible');
    await page.keyboard.press('Home');
    await settled(page);
    await page.focus('#matrix');
    await page.keyboard.press('ArrowRight');
    assert.match(await page.textContent('#live'), /attends to .*: [\d.<]+ %/);
    await page.keyboard.press('+');
    assert.ok(await page.locator('#matrix').evaluate((box) => box.scrollWidth > box.clientWidth));
    await page.keyboard.press('0');
    await shoot(page, 'keyboard');
  }));

test('without colors of the page’s own, levels are frames', () =>
  withPage(
    browser,
    server.address,
    async (page) => {
      await eventually(async () => assert.ok((await painted(page)).length > 0));
      const styles = await content(page).evaluate((element) =>
        [2, 3, 5].map((level) => getComputedStyle(element.querySelector(`.heat-${level}`)).outlineStyle),
      );
      assert.deepEqual(styles, ['dotted', 'dashed', 'solid']);
      await shoot(page, 'forced-colors');
    },
    { forcedColors: 'active' },
  ));

test('a server that goes and comes again is found, with the text as it is by then', async () => {
  let mine = await serve();
  const { port } = mine;
  await withPage(
    browser,
    mine.address,
    async (page) => {
      await type(page, TEXT);
      await shows(page, analyze('typed.py', TEXT));
      await mine.end();
      await eventually(async () => assert.match(await page.textContent('#state'), /No connection|Connecting/));
      await caretAt(page, 0, 0);
      await page.keyboard.type('y = 1\n');
      mine = await serve(['--port', String(port)]);
      await shows(page, analyze('typed.py', `y = 1\n${TEXT}`));
    },
    { expected: /WebSocket|ERR_CONNECTION|Failed to load resource/ },
  );
  await mine.end();
});

test('a server that wants a token is given one', async () => {
  const token = 'a-secret?>~token-of-mine';
  const mine = await serve([], { CODEGAZE_TOKEN: token });
  await withPage(
    browser,
    mine.address,
    async (page) => {
      await page.waitForSelector('#token-dialog[open]');
      await page.fill('#token', 'wrong');
      await page.keyboard.press('Enter');
      await eventually(async () => assert.match(await page.textContent('#token-trouble'), /refused this token/));
      await page.waitForSelector('#token-dialog[open]');
      assert.equal(await page.inputValue('#token'), '');
      await page.fill('#token', token);
      await page.keyboard.press('Enter');
      await type(page, TEXT);
      await shows(page, analyze('typed.py', TEXT));
    },
    { expected: /WebSocket|401/ },
  );
  await mine.end();
});

test('a text that is too large is told to be, and forgiven', async () => {
  const mine = await serve(['--max-body', '4096']);
  await withPage(browser, mine.address, async (page) => {
    await type(page, 'größe = 1\n'.repeat(1000));
    await eventually(async () => assert.match(await page.textContent('#notice'), /larger than 4 kB/));
    await page.keyboard.type('x');
    assert.match(await page.textContent('#notice'), /larger than 4 kB/);
    await type(page, TEXT);
    await shows(page, analyze('typed.py', TEXT));
    assert.equal(await page.isVisible('#notice'), false);
  });
  await mine.end();
});

test('a server at its limit of live connections is not called missing, and lets the page in later', async () => {
  const mine = await serve(['--live', '1']);
  await withPage(
    browser,
    mine.address,
    async (first, context) => {
      await eventually(async () => assert.ok((await painted(first)).length > 0));
      const second = await context.newPage();
      await second.goto(mine.address);
      await eventually(async () =>
        assert.match(await second.textContent('#state'), /The server runs, but it accepts no more live connections/),
      );
      await first.goto('about:blank');
      await second.bringToFront();
      await eventually(async () => assert.ok((await painted(second)).length > 0));
    },
    { expected: /WebSocket|429/ },
  );
  await mine.end();
});
