// One editor window: what a person does in it, and what they see.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const artefacts = join(dirname(fileURLToPath(import.meta.url)), 'artefacts');
/** Opacities of the levels: of backgrounds in dark themes, of lines in light ones. */
export const DARK_ALPHAS = [0.3, 0.45, 0.6, 0.8, 1];
export const LIGHT_ALPHAS = [0.25, 0.4, 0.55, 0.75, 1];

/** The level of a color of heat; 0 for another color. */
export function levelOf(color, rgb, alphas) {
  const [, found, alpha = '1'] = /rgba?\((\d+, \d+, \d+)(?:, ([\d.]+))?\)/.exec(color ?? '') ?? [];
  return found === rgb ? alphas.findIndex((each) => Math.abs(each - Number(alpha)) < 0.006) + 1 : 0;
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks again until `check` no longer throws; its last complaint is the error. */
export async function eventually(check, timeoutMs = 15_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(150);
    }
  }
}

export class Editor {
  constructor(page, workspace) {
    this.page = page;
    this.workspace = workspace;
    this.problems = [];
    page.on('console', (message) => {
      const text = message.text();
      if (message.type() === 'error' && /codegaze|Content Security Policy/i.test(text)) this.problems.push(text);
    });
  }

  async shoot(name) {
    mkdirSync(artefacts, { recursive: true });
    // Fades and the like are at their end.
    await this.page.screenshot({ path: join(artefacts, `${name}.png`), animations: 'disabled' });
  }

  /** As after a restart of the editor: its windows come back as they were, but for what an address asks to open. */
  async restore() {
    // The editor writes down every 5 s which tabs there are.
    await sleep(6000);
    await this.page.goto(this.page.url().replace(/&payload=[^&]*/, ''));
    await this.page.waitForSelector('.monaco-workbench', { timeout: 60_000 });
  }

  async close() {
    await this.page.context().close();
  }

  async focus() {
    await this.page
      .locator('.editor-instance .monaco-editor')
      .first()
      .click({ position: { x: 300, y: 5 } });
  }

  /** Runs a command from the palette, by its title. The palette is asked again: it does not notice when a command comes. */
  async command(title) {
    const input = this.page.locator('.quick-input-widget input');
    const rows = this.page.locator('.quick-input-list .monaco-list-row');
    // A longer title can contain this one.
    const row = rows.locator(`xpath=self::*[@aria-label="${title}" or starts-with(@aria-label, "${title},")]`).first();
    await this.page.mouse.move(5, 5);
    await eventually(async () => {
      await this.page.keyboard.press('F1');
      await input.waitFor({ state: 'visible' });
      await input.fill(`>${title}`);
      try {
        await eventually(async () => {
          const offered = await rows.allTextContents();
          assert.ok((await row.count()) > 0, `the palette offers ${offered.slice(0, 3).join(' | ')} and not ${title}`);
        }, 1000);
      } catch (error) {
        await this.page.keyboard.press('Escape');
        throw error;
      }
    }, 30_000);
    await row.click();
  }

  /** Changes the user's settings while the editor runs; `null` takes one back. */
  async set(settings) {
    const file = join(this.workspace, 'apply-settings.json');
    writeFileSync(file, JSON.stringify(settings));
    await this.command('Test: Apply Settings');
    await eventually(() => assert.ok(!existsSync(file), 'the settings are not applied'));
  }

  /** Picks an entry of an open quick pick, by part of its label. */
  async pick(label) {
    // A pointer that rests on the list opens a tooltip over it.
    await this.page.mouse.move(5, 5);
    const input = this.page.locator('.quick-input-widget input');
    await input.waitFor({ state: 'visible' });
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: label }).first();
    await row.waitFor({ timeout: 10_000 });
    await row.click();
  }

  async openFile(name) {
    await this.page.keyboard.press('Control+P');
    const input = this.page.locator('.quick-input-widget input');
    await input.waitFor({ state: 'visible' });
    await input.fill(name);
    const row = this.page.locator('.quick-input-list .monaco-list-row').first();
    await eventually(async () => assert.ok((await row.textContent()).includes(name)));
    await this.page.keyboard.press('Enter');
    await this.page.waitForSelector(`.tab.active[data-resource-name="${name}"]`);
  }

  async goToLine(line, column = 1) {
    await this.page.keyboard.press('Control+G');
    const input = this.page.locator('.quick-input-widget input');
    await input.waitFor({ state: 'visible' });
    await input.fill(`:${line}:${column}`);
    await this.page.keyboard.press('Enter');
    await input.waitFor({ state: 'hidden' });
  }

  /** The status bar's entry of codegaze. */
  statusItem() {
    return this.page.locator('.statusbar-item[id="codegaze.codegaze.codegaze.status"]');
  }

  async status() {
    const item = this.statusItem();
    return (await item.count()) > 0 ? (await item.first().textContent()).trim() : null;
  }

  /** Moves the pointer to the first `word` of the line that has `text` in it. Words of one color are one element in the page. */
  async pointAt(text, word) {
    const { x, y } = await this.page.evaluate(
      ([wantedText, wantedWord]) => {
        const lines = [...document.querySelectorAll('.editor-instance .view-line')];
        const line = lines.find(({ textContent }) => textContent.replaceAll('\u00a0', ' ').includes(wantedText));
        const nodes = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
        while (nodes.nextNode()) {
          const at = nodes.currentNode.data.indexOf(wantedWord);
          if (at < 0) continue;
          const range = document.createRange();
          range.setStart(nodes.currentNode, at);
          range.setEnd(nodes.currentNode, at + wantedWord.length);
          const box = range.getBoundingClientRect();
          return { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
        }
        throw new Error(`no ${wantedWord} in a line with ${wantedText}`);
      },
      [text, word],
    );
    await this.page.mouse.move(x, y);
    this.at = [x, y];
  }

  /** Where `pointAt` moved the pointer. */
  pointer() {
    return this.at;
  }

  async cursor() {
    const text = await this.page.locator('.statusbar-item[id="status.editor.selection"]').textContent();
    const [, line, column] = /Ln (\d+), Col (\d+)/.exec(text) ?? [];
    return { line: Number(line), column: Number(column), text };
  }

  async notifications() {
    return this.page.locator('.notification-list-item-message').allInnerTexts();
  }

  async waitForNotification(pattern, timeoutMs) {
    return eventually(async () => {
      const all = await this.notifications();
      const found = all.find((text) => pattern.test(text));
      assert.ok(found, `no notification ${pattern}; there are: ${all.join(' | ')}`);
      return found;
    }, timeoutMs);
  }

  /**
   * Clicks a button of a notification until it is gone: without the pointer, as notifications move when another one comes, and
   * again, as they are drawn anew then.
   */
  async answer(button) {
    const found = this.page.locator('.notification-list-item .monaco-button', { hasText: button });
    await found.first().waitFor();
    await eventually(async () => {
      for (const element of await found.elementHandles()) await element.evaluate((node) => node.click());
      assert.equal(await found.count(), 0, `the button ${button} stays`);
    });
  }

  /**
   * What is painted in the first editor: boxes with a background, a border or an outline, with the text that lies on them.
   * Lines are told by their numbers in the margin.
   */
  async painted() {
    return this.page.evaluate(() => {
      const editor = document.querySelector('.editor-instance .monaco-editor');
      if (!editor) return null;
      const visible = editor.getBoundingClientRect();
      const lines = new Map();
      for (const number of editor.querySelectorAll('.margin-view-overlays .line-numbers')) {
        const box = number.getBoundingClientRect();
        // Half a line at an edge is not looked at.
        if (box.top < visible.top || box.bottom > visible.bottom - 12) continue;
        lines.set(Math.round(box.top), Number(number.textContent));
      }
      const texts = [...editor.querySelectorAll('.view-lines .view-line')].map((element) => {
        const nodes = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        const chars = [];
        while (nodes.nextNode()) {
          const node = nodes.currentNode;
          for (let at = 0; at < node.length; at++) {
            const range = document.createRange();
            range.setStart(node, at);
            range.setEnd(node, at + 1);
            const box = range.getBoundingClientRect();
            chars.push({ char: node.data[at], left: box.left, right: box.right });
          }
        }
        return { top: element.getBoundingClientRect().top, chars };
      });
      const boxes = [];
      for (const element of editor.querySelectorAll('.view-overlays .cdr')) {
        const style = getComputedStyle(element);
        const hasBackground = style.backgroundColor !== 'rgba(0, 0, 0, 0)';
        const hasBorder = style.borderBottomStyle !== 'none' && !/^rgba\(.*, 0\)$/.test(style.borderBottomColor);
        const hasOutline = style.outlineStyle !== 'none' && !/^rgba\(.*, 0\)$/.test(style.outlineColor);
        if (!hasBackground && !hasBorder && !hasOutline) continue;
        const box = element.getBoundingClientRect();
        const middle = (box.top + box.bottom) / 2;
        const line = texts.find(({ top }) => top <= middle && middle < top + element.parentElement.clientHeight);
        if (!line || !lines.has(Math.round(line.top))) continue;
        const isOn = ({ left, right }) => (left + right) / 2 > box.left && (left + right) / 2 < box.right;
        const first = line.chars.findIndex(isOn);
        boxes.push({
          line: lines.get(Math.round(line.top)),
          start: first,
          text: line.chars
            .filter(isOn)
            .map(({ char }) => (char === '\u00a0' ? ' ' : char))
            .join(''),
          background: style.backgroundColor,
          border: hasBorder ? `${style.borderBottomWidth} ${style.borderBottomStyle} ${style.borderBottomColor}` : null,
          outline: hasOutline ? `${style.outlineWidth} ${style.outlineStyle} ${style.outlineColor}` : null,
          sides: style.borderTopStyle,
        });
      }
      return { boxes, lines: [...lines.values()] };
    });
  }

  /**
   * Level of every character in the style "background", by `line:column`: the editor paints neighbors of one level as
   * one box.
   */
  async heat() {
    const painted = await this.painted();
    const levels = new Map();
    for (const { line, start, text, background, border, sides } of painted?.boxes ?? []) {
      const isLine = border?.includes('px solid ') && sides !== 'dotted';
      const level =
        levelOf(background, '0, 25, 92', DARK_ALPHAS) ||
        (background === 'rgba(0, 0, 0, 0)' && isLine ? levelOf(border, '0, 114, 178', LIGHT_ALPHAS) : 0);
      if (level === 0) continue;
      for (let at = 0; at < text.length; at++) levels.set(`${line}:${start + at}`, level);
    }
    return { levels, lines: painted?.lines ?? [] };
  }

  /**
   * Holds the heat to an analysis of the command line, on the lines that are seen; returns how many words were compared.
   * `movedBy`: lines that have come in above since.
   */
  async expectHeat(analysis, { minLevel = 1, timeoutMs = 20_000, movedBy = 0 } = {}) {
    return eventually(async () => {
      const { levels, lines } = await this.heat();
      const seen = analysis.lexemes.filter(
        ({ level, range }) => level >= minLevel && lines.includes(range.start.line + 1 + movedBy),
      );
      assert.ok(seen.length > 0, 'nothing is expected here');
      const wrong = [];
      const left = new Map(levels);
      for (const { level, text, range } of seen) {
        for (let at = range.start.character; at < range.end.character; at++) {
          const place = `${range.start.line + 1 + movedBy}:${at}`;
          if (left.get(place) !== level) wrong.push(`${place} of ${text} has ${left.get(place) ?? 0}, not ${level}`);
          left.delete(place);
        }
      }
      for (const [place, level] of left) wrong.push(`${place} has ${level}, not 0`);
      assert.ok(wrong.length === 0, `${wrong.length} characters are wrong: ${wrong.slice(0, 10).join(' | ')}`);
      return seen.length;
    }, timeoutMs);
  }

  /** Colors of all pieces of text that are seen. */
  async textColors() {
    return this.page.evaluate(() =>
      [...document.querySelectorAll('.editor-instance .monaco-editor .view-lines .view-line span > span')].map(
        (span) => `${span.textContent} ${getComputedStyle(span).color}`,
      ),
    );
  }

  /** The panel's page. */
  async panel() {
    return eventually(async () => {
      for (const frame of this.page.frames()) {
        const has = await frame.evaluate(() => document.getElementById('matrix') !== null).catch(() => false);
        if (has) return frame;
      }
      throw new assert.AssertionError({ message: 'there is no heatmap panel' });
    }, 20_000);
  }

  /** The panel, after it has drawn a matrix. */
  async drawnPanel() {
    const frame = await this.panel();
    await eventually(async () => {
      const isDrawn = await frame.evaluate(
        () => !document.querySelector('main').hidden && !document.body.classList.contains('busy'),
      );
      assert.ok(isDrawn, await frame.evaluate(() => document.getElementById('nothing').textContent));
    });
    return frame;
  }
}
