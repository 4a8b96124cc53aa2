import { describe, expect, test } from 'vitest';
import { tokenAt, within } from '../../../../web/src/view/tokens';
import { createNonce, page } from '../../src/panel/html';

const at = (line: number, character: number) => ({ line, character });
const token = (line: number, start: number, end: number) => ({ range: { start: at(line, start), end: at(line, end) } });

describe('the page', () => {
  const parts = {
    nonce: 'abc',
    cspSource: 'https://source',
    scriptUri: 'https://s/panel.js',
    styleUri: 'https://s/a.css',
    language: 'en',
  };
  const html = page(parts);

  test('lets nothing run or load but its own script and style', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      'style-src https://source',
      "script-src 'nonce-abc'",
      'img-src blob:',
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).toContain('<script nonce="abc" src="https://s/panel.js">');
    expect(html).not.toMatch(/ on\w+=|style=/);
  });

  test('has a name for every control', () => {
    for (const [, attributes = '', content = ''] of html.matchAll(/<button([^>]*)>([^<]*)</g)) {
      expect(/aria-label="[^"]+"/.test(attributes) || /\w/.test(content), attributes).toBe(true);
    }
    for (const [select] of html.matchAll(/.{12}<select/g)) expect(select).toMatch(/\w /);
  });

  test('has a fresh nonce of 128 bits each time', () => {
    const nonces = new Set(Array.from({ length: 50 }, createNonce));
    expect(nonces.size).toBe(50);
    for (const nonce of nonces) expect(nonce).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('words of the matrix', () => {
  // <s>, a, bc, d, </s>
  const special = { range: null };
  const tokens = [special, token(0, 0, 1), token(0, 1, 3), token(2, 4, 5), special];

  test('lie in a part', () => {
    expect(within(tokens, { start: at(0, 1), end: at(2, 5) })).toEqual({ from: 2, to: 4 });
    expect(within(tokens, { start: at(0, 0), end: at(0, 2) })).toEqual({ from: 1, to: 2 });
    expect(within(tokens, null)).toEqual({ from: 0, to: 5 });
    expect(within(tokens, { start: at(7, 0), end: at(8, 0) })).toEqual({ from: 0, to: 5 });
  });

  test('lie at a place', () => {
    expect(tokenAt(tokens, at(0, 0))).toBe(1);
    // Between two words it is the right one, after the last one that one.
    expect(tokenAt(tokens, at(0, 1))).toBe(2);
    expect(tokenAt(tokens, at(0, 3))).toBe(2);
    expect(tokenAt(tokens, at(1, 0))).toBeNull();
  });
});
