// The pages of `codegaze heatmap --out X.html` in Chromium, with a real mouse and keyboard: `just browser`.
//
// Whatever a test does, its page must have asked for nothing but its own file and have logged no error.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const codegaze = process.env.CODEGAZE ?? join(root, 'target/release/codegaze');
const fibonacci = join(root, 'examples/fibonacci.py');
const screenshots = join(here, 'screenshots');

const executablePath = process.env.PATH.split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find(existsSync);

let browser;
let folder;
let pages = 0;

before(async () => {
  assert.ok(executablePath, 'no chromium, chromium-browser or google-chrome in PATH');
  mkdirSync(screenshots, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), 'codegaze-browser-'));
  browser = await chromium.launch({
    executablePath,
    args: ['--disable-gpu', '--disable-quic', '--disable-sync'],
  });
});

after(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true });
});

const run = (...args) => execFileSync(codegaze, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });

const sourceFile = (name, text) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

// Opens the page of `file`, lets `use` work with it, and holds it to the rules of every page.
const withPage = async (file, args, use, { colorScheme = 'light' } = {}) => {
  const html = join(folder, `${pages++}.html`);
  run('heatmap', file, '--out', html, ...args);
  const address = pathToFileURL(html).href;
  const context = await browser.newContext({ colorScheme, viewport: { width: 1400, height: 1400 } });
  const page = await context.newPage();
  const problems = [];
  page.on('request', (request) => request.url() === address || problems.push(`request: ${request.url()}`));
  page.on('console', (message) => problems.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(`error: ${error}`));
  page.on('dialog', (dialog) => (problems.push('dialog'), dialog.dismiss()));
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective));
  });
  await page.goto(address);
  await use(page);
  assert.deepEqual(await page.evaluate(() => window.violations), []);
  assert.deepEqual(problems, []);
  await context.close();
};

// The page draws once a frame.
const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

const shoot = (page, name) => page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });

const middleOfCell = async (page, n, query, key) => {
  const box = await page.locator('#cells').boundingBox();
  return [box.x + ((key + 0.5) / n) * box.width, box.y + ((query + 0.5) / n) * box.height];
};

const pointAt = async (page, n, query, key) => {
  await page.mouse.move(...(await middleOfCell(page, n, query, key)));
  await drawn(page);
};

const readout = (page) => page.locator('#readout p').first().innerText();
const prompt = (unit) => `Point at a cell, a ${unit} or the source.`;

const SAID = /^query (?<queryLabel>.+) \((?<query>\d+)\) gives (?<percent>[\d.]+) % of its attention to key (?<keyLabel>.+) \((?<key>\d+)\)(?<pinned> · pinned)?$/;
const said = async (page) => {
  const text = await readout(page);
  const match = SAID.exec(text);
  assert.ok(match, `not what a cell's read-out says: ${text}`);
  const { queryLabel, keyLabel, query, key, percent, pinned } = match.groups;
  return { queryLabel, keyLabel, cell: [Number(query), Number(key)], percent, pinned: Boolean(pinned) };
};

// `shown` is a rounded percentage; half a unit of its last digit, and the rounding of f32, are let pass.
const assertPercent = (shown, weight) => {
  const digits = shown.split('.')[1].length;
  const off = Math.abs(Number(shown) - 100 * weight);
  assert.ok(off <= 0.5 * 10 ** -digits + 1e-4, `${shown} % is not ${weight}`);
};

const sum = (values) => values.reduce((a, b) => a + b, 0);
const normalized = (row) => row.map((weight) => weight / sum(row));
const shown = (text) => text.replaceAll(' ', '·').replaceAll('\n', '⏎').replaceAll('\t', '⇥');

// What the pages of examples/fibonacci.py must say, worked out from the JSON: both matrices, [query][key].
let known;
const expected = () => {
  if (known) return known;
  const analysis = JSON.parse(run('analyze', fibonacci, '--format', 'json', '--attention', '--tokens'));
  const code = analysis.tokens.flatMap((token, i) => (token.span ? [i] : []));
  const bySubword = code.map((query) => normalized(code.map((key) => analysis.chunks[0].attention[query][key])));
  const spans = code.map((i) => analysis.tokens[i].span);

  // Part of each subword that lies on each lexeme, by bytes: [lexeme][subword].
  const overlap = (a, b) => Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));
  const onLexemes = spans.map((span) => sum(analysis.lexemes.map((lexeme) => overlap(lexeme.span, span))));
  const parts = analysis.lexemes.map((lexeme) => spans.map((span, i) => (onLexemes[i] ? overlap(lexeme.span, span) / onLexemes[i] : 0)));
  const byLexeme = parts.map((from) =>
    normalized(parts.map((to) => sum(from.map((part, i) => (part ? part * sum(to.map((share, j) => share && share * bySubword[i][j])) : 0))))));

  known = {
    subword: { labels: code.map((i) => shown(analysis.tokens[i].text)), weights: bySubword },
    lexeme: { labels: analysis.lexemes.map((lexeme) => shown(lexeme.text)), weights: byLexeme },
  };
  return known;
};

// Colors as computed styles have them, and how they lie on one another.
const rgba = (color) => {
  const numbers = color.match(/[\d.]+/g).map(Number);
  assert.match(color, /^rgba?\(/);
  return [...numbers.slice(0, 3), numbers[3] ?? 1];
};
const over = ([r, g, b, alpha], below) => [r, g, b].map((value, i) => alpha * value + (1 - alpha) * below[i]);
const luminance = (color) => {
  const [r, g, b] = color.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};

// [what, text color, background colors from the element's own outwards] of everything that has text.
const colors = (page, selector) =>
  page.locator(selector).evaluateAll((elements) =>
    elements
      .filter((element) => element.textContent.trim())
      .map((element) => {
        const backgrounds = [];
        for (let at = element; at; at = at.parentElement) backgrounds.push(getComputedStyle(at).backgroundColor);
        return [element.textContent, getComputedStyle(element).color, backgrounds];
      }));

const leastContrast = async (page, selector) => {
  const found = await colors(page, selector);
  assert.ok(found.length > 0, selector);
  const of = ([, text, backgrounds]) => {
    const below = backgrounds.reduceRight((behind, color) => over(rgba(color), behind), [255, 255, 255]);
    return contrast(over(rgba(text), below), below);
  };
  return { least: Math.min(...found.map(of)), kinds: new Set(found.map(([, , backgrounds]) => backgrounds[0])).size };
};

for (const unit of ['subword', 'lexeme']) {
  test(`${unit}: the page speaks of ${unit}s and has a label for each`, async () => {
    const { labels } = expected()[unit];
    await withPage(fibonacci, ['--unit', unit], async (page) => {
      assert.equal(await readout(page), prompt(unit));
      assert.equal(await page.locator('#direction legend').innerText(), `A chosen ${unit} shades`);
      assert.equal(await page.locator('#tokens').getAttribute('aria-label'), `Every ${unit}`);
      assert.deepEqual(await page.locator('#tokens .token').allTextContents(), labels);
      await shoot(page, `${unit}-light`);
      await page.emulateMedia({ colorScheme: 'dark' });
      await drawn(page);
      await shoot(page, `${unit}-dark`);
    });
  });

  test(`${unit}: a cell under the mouse says whose it is and how much, and is marked`, async () => {
    const { labels, weights } = expected()[unit];
    const n = labels.length;
    const flat = weights.flat();
    const strongest = flat.indexOf(Math.max(...flat));
    const cells = [[0, 0], [n - 1, n - 1], [n - 1, 0], [5, 17], [n >> 1, n >> 2], [Math.floor(strongest / n), strongest % n]];
    await withPage(fibonacci, ['--unit', unit], async (page) => {
      for (const [query, key] of cells) {
        await pointAt(page, n, query, key);
        const { queryLabel, keyLabel, cell, percent, pinned } = await said(page);
        assert.deepEqual({ cell, queryLabel, keyLabel, pinned }, { cell: [query, key], queryLabel: labels[query], keyLabel: labels[key], pinned: false });
        assertPercent(percent, weights[query][key]);

        const grid = await page.locator('#cells').boundingBox();
        const row = await page.locator('#row-mark').boundingBox();
        const column = await page.locator('#column-mark').boundingBox();
        const [x, y] = await middleOfCell(page, n, query, key);
        assert.ok(Math.abs(row.y + row.height / 2 - y) < 1.5 && row.width >= grid.width, `row ${query} is marked`);
        assert.ok(Math.abs(column.x + column.width / 2 - x) < 1.5 && column.height >= grid.height, `column ${key} is marked`);
      }
      await shoot(page, `${unit}-cell`);
      await page.mouse.move(1, 1);
      await drawn(page);
      assert.equal(await readout(page), prompt(unit));
      assert.equal(await page.locator('#row-mark').isVisible(), false);
    });
  });

  for (const where of ['#source', '#tokens']) {
    test(`${unit}: a word of ${where} under the mouse shades by row or by column`, async () => {
      const { labels, weights } = expected()[unit];
      const chosen = Math.floor(labels.length / 3);
      await withPage(fibonacci, ['--unit', unit], async (page) => {
        for (const [direction, name, at] of [
          ['row', 'what it attends to', (i) => weights[chosen][i]],
          ['column', 'what attends to it', (i) => weights[i][chosen]],
        ]) {
          await page.getByLabel(name, { exact: true }).check();
          const word = page.locator(`${where} [data-token="${chosen}"]`).last();
          await word.hover();
          await drawn(page);
          assert.match(await word.getAttribute('class'), /\bchosen\b/);
          const of = labels.map((_, i) => at(i));
          const top = Math.max(...of);
          const alphas = await page.evaluate(() => {
            const alpha = (element) => Number(getComputedStyle(element).backgroundColor.match(/[\d.]+/g)[3] ?? 1);
            return [...document.querySelectorAll('[data-token]')].map((element) => [element.dataset.token, alpha(element)]);
          });
          assert.ok(alphas.length > labels.length);
          for (const [i, alpha] of alphas) {
            assert.ok(Math.abs(alpha - 0.62 * Math.sqrt(of[i] / top)) < 0.005, `${direction}: ${labels[i]} (${i}) has ${alpha}`);
          }
          await shoot(page, `${unit}-${where.slice(1)}-${direction}`);
        }
      });
    });
  }
}

test('a click pins, Escape lets go', async () => {
  const n = expected().subword.labels.length;
  await withPage(fibonacci, [], async (page) => {
    await page.mouse.click(...(await middleOfCell(page, n, 7, 20)));
    await pointAt(page, n, 90, 100);
    assert.deepEqual(await said(page).then(({ cell, pinned }) => ({ cell, pinned })), { cell: [7, 20], pinned: true });
    await page.locator('#source [data-token="3"]').first().hover();
    await drawn(page);
    assert.deepEqual((await said(page)).cell, [7, 20]);
    await shoot(page, 'pinned');

    await page.keyboard.press('Escape');
    await drawn(page);
    assert.equal(await readout(page), prompt('subword'));
    await pointAt(page, n, 90, 100);
    assert.deepEqual(await said(page).then(({ cell, pinned }) => ({ cell, pinned })), { cell: [90, 100], pinned: false });
  });
});

test('the keyboard alone reaches the grid, moves in it, pins and lets go', async () => {
  const n = expected().subword.labels.length;
  await withPage(fibonacci, [], async (page) => {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'grid');
    const outline = await page.locator('#grid').evaluate((grid) => getComputedStyle(grid).outlineStyle);
    assert.notEqual(outline, 'none', 'the focus can be seen');

    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
      await drawn(page);
      return (await said(page)).cell;
    };
    assert.deepEqual(await press('ArrowDown'), [0, 0], 'the first arrow enters the matrix at its corner');
    assert.deepEqual(await press('ArrowDown', 'ArrowDown', 'ArrowRight'), [2, 1]);
    assert.deepEqual(await press('ArrowUp', 'ArrowLeft', 'ArrowLeft'), [1, 0], 'the edge holds');
    assert.deepEqual(await press('Enter'), [1, 0]);
    assert.equal((await said(page)).pinned, true);
    await pointAt(page, n, 50, 50);
    assert.deepEqual((await said(page)).cell, [1, 0]);
    assert.deepEqual(await press('ArrowRight'), [1, 1], 'a pinned cell is moved by the keys');
    await page.keyboard.press('Escape');
    await drawn(page);
    assert.equal(await readout(page), prompt('subword'));
  });
});

test('what changes is announced, what is drawn has a name', async () => {
  await withPage(fibonacci, [], async (page) => {
    for (const id of ['readout', 'lexeme-readout']) {
      assert.equal(await page.locator(`#${id}`).getAttribute('aria-live'), 'polite');
    }
    const nameless = await page.locator('[tabindex], section, [role], fieldset').evaluateAll((elements) =>
      elements.filter((element) => !element.getAttribute('aria-label') && !element.querySelector('legend')?.textContent).map((element) => element.outerHTML));
    assert.deepEqual(nameless, []);
  });
});

for (const colorScheme of ['light', 'dark']) {
  test(`${colorScheme}: all text can be read on every shade`, async () => {
    await withPage(fibonacci, [], async (page) => {
      const { least, kinds } = await leastContrast(page, '#source .piece');
      assert.equal(kinds, 6, 'a color for each level, and none');
      assert.ok(least >= 4.5, `source: ${least}`);

      await page.locator('#source [data-token="40"]').first().hover();
      await drawn(page);
      for (const selector of ['#source .piece', '.token', '#readout p', '#readout li', '#readout div', '#legend span', 'header p', '#note', '#direction label', '#lexeme-readout', '#ticks li']) {
        const { least } = await leastContrast(page, selector);
        assert.ok(least >= 4.5, `${selector}: ${least}`);
      }
    }, { colorScheme });
  });
}

test('a source that wants to be a page stays text', async () => {
  const text = [
    "x = '</script><script>window.pwned=1</script>' <!-- {{script}} &lt; -->",
    "y = '<img src=x onerror=window.pwned=1>' # ]]> </pre></style>",
    "if access_level != 'user\u202e\u2066': # bidi\u2069 \u2066",
    '\tparty = "👩‍👩‍👧 🙂 naïve"\0',
    'lone = "\r"',
    '',
  ].join('\r\n');
  const visible = text
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '\n')
    .replaceAll('\0', '␀')
    .replace(/[\u202e\u2066\u2069]/g, (c) => `‹U+${c.codePointAt(0).toString(16).toUpperCase()}›`);
  const file = sourceFile('<img src=x onerror=window.pwned=1>.py', text);
  for (const args of [[], ['--unit', 'lexeme'], ['--kind', 'source']]) {
    await withPage(file, args, async (page) => {
      const source = await page.locator('#source').evaluate((pre) => [...pre.children].map((line) => line.textContent).join(''));
      assert.equal(source.trimEnd(), visible.trimEnd());
      assert.match(await page.title(), /<img src=x onerror=window\.pwned=1>\.py/);
      assert.match(await page.locator('h1').innerText(), /<img src=x onerror=window\.pwned=1>\.py/);
      // The mouse goes over every line; some pieces, such as a line's end, have no width to point at.
      for (const line of await page.locator('#source .line').all()) {
        const box = await line.boundingBox();
        for (let x = box.x + 60; x < box.x + 600; x += 30) await page.mouse.move(x, box.y + box.height / 2);
      }
      await drawn(page);
      assert.equal(await page.evaluate(() => window.pwned), undefined);
      assert.equal(await page.locator('img').count(), 0);
      assert.equal(await page.locator('script').count(), 2);
      await shoot(page, `hostile${args.join('')}`);
    });
  }
});

test('512 subwords: a moving mouse neither redraws the cells nor leaves anything behind', async () => {
  const line = (i) => `def step_${i}(left, right):\n    return left * ${i} + right\n\n`;
  // As many functions as one window holds.
  const chunks = (length) => {
    const path = sourceFile('long.py', Array.from({ length }, (_, i) => line(i)).join(''));
    return [path, JSON.parse(run('analyze', path, '--format', 'json')).chunks.length];
  };
  let length = 60;
  while (chunks(length)[1] > 1) length--;
  const [file] = chunks(length);
  await withPage(file, [], async (page) => {
    const n = await page.locator('.token').count();
    assert.ok(n > 480 && n <= 510, `${n} subwords`);
    await pointAt(page, n, 1, 1);
    await page.evaluate(() => {
      window.counts = { pixels: 0, outside: 0, frames: 0 };
      const put = CanvasRenderingContext2D.prototype.putImageData;
      CanvasRenderingContext2D.prototype.putImageData = function (...args) {
        window.counts.pixels++;
        return put.apply(this, args);
      };
      new MutationObserver((changes) => {
        for (const change of changes) {
          if (change.target.id === 'readout') window.counts.frames++;
          else window.counts.outside++;
        }
      }).observe(document.body, { childList: true, subtree: true });
    });
    const elements = () => page.evaluate(() => document.querySelectorAll('*').length);
    const inTheBeginning = await elements();
    for (let i = 0; i < 60; i++) await page.mouse.move(...(await middleOfCell(page, n, 5 + 8 * i, n - 5 - 8 * i)));
    await drawn(page);
    assert.deepEqual((await said(page)).cell, [5 + 8 * 59, n - 5 - 8 * 59]);
    const { pixels, outside, frames } = await page.evaluate(() => window.counts);
    assert.equal(pixels, 0, 'cells are drawn once');
    assert.equal(outside, 0, 'only the read-out changes its elements');
    assert.ok(frames > 0);
    assert.equal(await elements(), inTheBeginning);
    await shoot(page, 'long');
  });
});

test('--kind source: the shaded source and no matrix', async () => {
  const text = 'def add(left, right):\n    return left + right\n';
  const file = sourceFile('add.py', text);
  const { lexemes } = JSON.parse(run('analyze', file, '--format', 'json'));
  await withPage(file, ['--kind', 'source'], async (page) => {
    for (const id of ['matrix-panel', 'direction']) assert.equal(await page.locator(`#${id}`).isVisible(), false);
    assert.equal(await page.locator('.token').count(), 0);
    const levels = await page.locator('#source [data-lexeme]').evaluateAll((pieces) =>
      pieces.map((piece) => [piece.textContent, Number(/\bl(\d)/.exec(piece.className)?.[1] ?? 0)]));
    assert.deepEqual(levels, lexemes.map(({ text, level }) => [text, level]));
    const strongest = lexemes.find(({ rank }) => rank === 1);
    await page.locator('#source [data-lexeme]').nth(lexemes.indexOf(strongest)).hover();
    const about = await page.locator('#lexeme-readout').innerText();
    assert.ok(about.startsWith(`${strongest.text} rank 1 of ${lexemes.length} · ${strongest.lift.toFixed(2)}×`), about);
    await shoot(page, 'source');
  });
});
