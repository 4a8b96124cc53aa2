// The program, a browser, and a page that is held to the rules: no request to elsewhere, no error, nothing that its policy forbids.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const codegaze = process.env.CODEGAZE ?? join(root, 'target/release/codegaze');
export const artefacts = fileURLToPath(new URL('artefacts', import.meta.url));
export const folder = mkdtempSync(join(tmpdir(), 'codegaze-e2e-'));

const START_MS = 60_000;

/** The program's own word on a text: what the page must show. */
export function analyze(name, text, ...options) {
  const path = join(folder, name);
  writeFileSync(path, text);
  const output = execFileSync(codegaze, ['analyze', path, '--format', 'json', ...options], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(output);
}

/** The lowest level that the page shows at first. */
export const MIN_LEVEL = 2;

/** The analysis's words from a level on, as `line:column text level`. */
export const hotWords = (analysis, minLevel = MIN_LEVEL) =>
  analysis.lexemes
    .filter(({ level }) => level >= minLevel)
    .map(({ range, text, level }) => `${range.start.line}:${range.start.character} ${text} ${level}`);

export async function serve(options = [], environment = {}) {
  const server = spawn(codegaze, ['serve', ...(options.includes('--port') ? [] : ['--port', '0']), ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let said = '';
  const address = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the server does not start: ${said}`)), START_MS);
    server.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    server.stderr.on('data', (data) => {
      said += data;
      const found = /http:\/\/[\d.]+:\d+/.exec(said);
      if (!found) return;
      clearTimeout(late);
      resolve(found[0]);
    });
  });
  const end = () =>
    new Promise((resolve) => {
      if (server.exitCode !== null) return resolve();
      server.on('exit', resolve);
      server.kill('SIGTERM');
    });
  // A server that a failed test left behind must not keep the tests from ending.
  server.unref();
  server.stderr.unref();
  process.on('exit', () => server.kill());
  /** Nothing is answered while `work` runs. */
  const heldBack = async (work) => {
    server.kill('SIGSTOP');
    try {
      return await work();
    } finally {
      server.kill('SIGCONT');
    }
  };
  return { address, port: Number(new URL(address).port), end, heldBack };
}

const executablePath = process.env.PATH.split(delimiter)
  .flatMap((path) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(path, name)))
  .find(existsSync);

export async function launch() {
  assert.ok(executablePath, 'no chromium, chromium-browser or google-chrome in PATH');
  mkdirSync(artefacts, { recursive: true });
  const args = ['--disable-gpu', '--disable-quic', '--disable-sync'];
  // Chromium does not count a page as local if Playwright provides its files.
  if (process.env.CODEGAZE_DIST) args.push('--disable-features=LocalNetworkAccessChecks');
  return chromium.launch({ executablePath, args });
}

/** Opens the page, lets `use` work with it, and holds it to the rules. `expected`: what the console may say. */
export async function withPage(browser, address, use, { expected = null, fragment = '', ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    ...options,
  });
  const page = await context.newPage();
  const problems = [];
  const { host } = new URL(address);
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'blob:' && url.host !== host) problems.push(`request: ${request.url()}`);
  });
  page.on('websocket', (socket) => new URL(socket.url()).host === host || problems.push(`socket: ${socket.url()}`));
  page.on('console', (message) => {
    if (!expected?.test(message.text())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`error: ${error.stack}`));
  page.on('dialog', (dialog) => {
    problems.push('dialog');
    return dialog.dismiss();
  });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      window.violations.push(`${violatedDirective} ${blockedURI}`),
    );
  });
  // While working on the page: the files of a folder in place of those in the program.
  if (process.env.CODEGAZE_DIST) {
    for (const name of ['index.html', 'codegaze.js', 'codegaze.css']) {
      await context.route(
        ({ pathname }) => pathname === (name === 'index.html' ? '/' : `/${name}`),
        async (route) => {
          const response = await route.fetch();
          await route.fulfill({ response, body: readFileSync(join(process.env.CODEGAZE_DIST, name)) });
        },
      );
    }
  }
  const response = await page.goto(`${address}/${fragment}`);
  assert.match(response.headers()['content-security-policy'] ?? '', /default-src 'none'/);
  assert.doesNotMatch(response.headers()['content-security-policy'], /unsafe/);
  try {
    await use(page, context);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
    assert.deepEqual(problems, []);
  } catch (error) {
    await page.screenshot({ path: join(artefacts, 'failed.png') }).catch(() => {});
    if (problems.length > 0) error.message += `\n${problems.join('\n')}`;
    throw error;
  } finally {
    await context.close();
  }
}

export const shoot = (page, name) => page.screenshot({ path: join(artefacts, `${name}.png`) });

export const content = (page) => page.locator('.cm-content');

/** In place of what is there, as a person would: by the keyboard. Indentation is the text's own. */
export async function type(page, text) {
  await content(page).click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}

/** Painted words, as `line:column text level`; words in pieces, such as ones with another color inside, are put together. */
export const painted = (page, prefix = 'heat') =>
  content(page).evaluate((element, name) => {
    const words = [];
    for (const [number, line] of [...element.querySelectorAll('.cm-line')].entries()) {
      const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
      let column = 0;
      let last = null;
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const span = node.parentElement?.closest(`[class*="${name}-"]`);
        const level = span && line.contains(span) && new RegExp(`${name}-(\\d)`).exec(span.className)?.[1];
        if (level && last?.span === span) last.text += node.data;
        else if (level) {
          last = { at: `${number}:${column}`, text: node.data, level, span };
          words.push(last);
        } else last = null;
        column += node.data.length;
      }
    }
    return words.map(({ at, text, level }) => `${at} ${text} ${level}`);
  }, prefix);

/** Waits for `check` to pass; fails with its last complaint. */
export async function eventually(check, timeoutMs = 20_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export const shows = (page, analysis, prefix) =>
  eventually(async () => assert.deepEqual(await painted(page, prefix), hotWords(analysis)));

/** Opens a tab and waits for what is in it. */
export async function open(page, pane) {
  await page.click(`#tab-${pane}`);
  await page.waitForSelector(`#pane-${pane}:visible`);
}

export const settled = (page) => page.waitForFunction(() => !document.body.classList.contains('busy'));

export async function download(page, format) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.click(`#export-${format}`)]);
  const path = join(artefacts, file.suggestedFilename());
  await file.saveAs(path);
  return path;
}

/** The middle of a cell of a matrix that fits its box; `drawn`: how many words it has. */
export const caretAt = async (page, line, column) => {
  await page
    .locator('.cm-line')
    .nth(line)
    .click({ position: { x: 8, y: 8 } });
  await page.keyboard.press('Home');
  await page.keyboard.press('Home');
  for (let step = 0; step < column; step++) await page.keyboard.press('ArrowRight');
};
