// Every text that users read can be translated. `npm run l10n` writes the list of messages, l10n/bundle.l10n.json.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { SCALING_TEXTS } from '../../../../web/src/draw/scaling';
import { AGGREGATE_TEXTS, METHODS } from '../../../../web/src/generated/lists';
import { page } from '../../src/panel/html';
import { l10n } from './stubs/vscode';
import { messagesOf, plainTextsOf } from './texts';

const extension = join(__dirname, '../..');
const manifest = JSON.parse(readFileSync(join(extension, 'package.json'), 'utf8'));
const strings: Record<string, string> = JSON.parse(readFileSync(join(extension, 'package.nls.json'), 'utf8'));

const sources = readdirSync(join(extension, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, code: readFileSync(join(extension, 'src', name), 'utf8') }));

/** Texts that the code takes from lists. */
const LISTED = [
  ...[...Object.values(METHODS), ...Object.values(SCALING_TEXTS)].flatMap(({ name, what }) => [name, what]),
  ...Object.values(AGGREGATE_TEXTS),
];

/** A report is read by the developers. */
const NOT_TRANSLATED = ['report.ts'];
/** A command to copy. */
const COMMANDS = ['cargo install --locked --path .'];

describe('translation', () => {
  test('has a string for every key of the manifest, and no other', () => {
    const used = [...JSON.stringify(manifest).matchAll(/"%([\w.-]+)%"/g)].map(([, key]) => key);
    expect(used.length).toBeGreaterThan(80);
    expect(Object.keys(strings).sort()).toEqual([...new Set(used)].sort());
  });

  test('has no text of its own in the manifest', () => {
    const named = ['name', 'displayName', 'title', 'description', 'markdownDescription', 'altText', 'label'];
    const plain: string[] = [];
    JSON.stringify(manifest.contributes, (key, value) => {
      const texts = named.includes(key) ? [value] : /enumDescriptions$/i.test(key) ? value : [];
      plain.push(...texts.filter((text: unknown) => typeof text === 'string' && !/^%.*%$/.test(text)));
      return value;
    });
    expect(plain).toEqual([]);
  });

  test('knows every message of the code', () => {
    const messages = [...sources.flatMap(({ name, code }) => messagesOf(name, code)), ...LISTED];
    expect(messages.length).toBeGreaterThan(100);
    const sorted = [...new Set(messages)].sort();
    const path = join(extension, 'l10n/bundle.l10n.json');
    if (process.env.UPDATE_L10N) {
      const bundle = Object.fromEntries(sorted.map((message) => [message, message]));
      writeFileSync(path, `${JSON.stringify(bundle, null, 2)}\n`);
    }
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')))).toEqual(sorted);
  });

  test('finds texts that cannot be translated', () => {
    const found = (code: string) => plainTextsOf('a.ts', code);
    expect(found("show('The server is gone.')")).toEqual(['The server is gone.']);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: code
    expect(found('show(`Level ${level} of all, and the rest`)')).toEqual([' of all, and the rest']);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: code
    expect(found('const a = `<p class="b c" title="${t("x y")}">Point here</p>`')).toHaveLength(1);
    expect(found("show(vscode.l10n.t('The server is gone.')); log.warn('no heat here')")).toEqual([]);
    expect(found('const a = `<p id="title" class="hidden"></p>`')).toEqual([]);
  });

  test('reaches every text of the code', () => {
    for (const { name, code } of sources.filter((each) => !NOT_TRANSLATED.includes(each.name))) {
      const plain = plainTextsOf(name, code).filter((text) => !COMMANDS.includes(text));
      expect(plain, name).toEqual([]);
    }
  });

  test('reaches every text of the panel', () => {
    const spy = vi.spyOn(l10n, 't').mockReturnValue('');
    const html = page({ nonce: '', cspSource: '', scriptUri: '', styleUri: '', language: 'en' });
    spy.mockRestore();
    const texts = html.replaceAll(/<[^>]*>/g, ' ').match(/[A-Za-z]+/g);
    expect(texts).toEqual(['PNG', 'SVG', 'JSON']);
    const named = [...html.matchAll(/(?:aria-label|aria-roledescription|title)="([^"]+)"/g)].map(([, text]) => text);
    expect(named).toEqual([]);
  });
});
