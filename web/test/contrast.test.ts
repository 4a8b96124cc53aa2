// Text on heat has the contrast that WCAG 2 requires of text, for every syntax color and level, in both themes.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LEVELS } from '../src/view/heat';

const css = readFileSync(new URL('../src/style/colors.css', import.meta.url), 'utf8');
const exported = readFileSync(new URL('../src/export/html.ts', import.meta.url), 'utf8');

type Rgba = readonly [red: number, green: number, blue: number, alpha: number];

/** The custom properties of the rule that begins with `selector`. */
function colorsOf(selector: string): Map<string, string> {
  const start = css.indexOf(`${selector} {`);
  const rule = css.slice(start, css.indexOf('}', start));
  return new Map([...rule.matchAll(/(--[\w-]+): (#[\da-f]+);/g)].map(([, name = '', value = '']) => [name, value]));
}

function parsed(hex: string): Rgba {
  const at = (place: number) => Number.parseInt(hex.slice(place, place + 2), 16);
  return [at(1), at(3), at(5), hex.length === 9 ? at(7) / 255 : 1];
}

const over = ([r, g, b, a]: Rgba, below: Rgba): Rgba => [
  r * a + below[0] * (1 - a),
  g * a + below[1] * (1 - a),
  b * a + below[2] * (1 - a),
  1,
];

function luminance([red, green, blue]: Rgba): number {
  const [r = 0, g = 0, b = 0] = [red, green, blue].map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: Rgba, b: Rgba): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05);
}

const SYNTAX = ['foreground', 'keyword', 'string', 'comment', 'number', 'type', 'name'];
const MINIMUM = 4.5;

describe.each([
  ['light', ':root'],
  ['dark', ':root[data-theme="dark"]'],
])('in the %s theme', (_, selector) => {
  const colors = colorsOf(selector);
  const color = (name: string) => parsed(colors.get(`--${name}`) ?? `no --${name}`);
  const surface = color('surface');
  const lines = [surface, over(color('active-line'), surface)];

  test.each(SYNTAX)('%s is readable on every level, also on the active line', (name) => {
    for (const line of lines) {
      expect(contrast(color(name), line)).toBeGreaterThanOrEqual(MINIMUM);
      for (const level of LEVELS) {
        const ratio = contrast(color(name), over(color(`heat-${level}`), line));
        expect(ratio, `level ${level}: ${ratio.toFixed(2)}`).toBeGreaterThanOrEqual(MINIMUM);
      }
    }
  });

  test('selected text is readable on every level', () => {
    const selected = over(color('selection'), surface);
    for (const name of SYNTAX) {
      for (const level of LEVELS) {
        const ratio = contrast(color(name), over(color(`heat-${level}`), selected));
        expect(ratio, `${name} on level ${level}: ${ratio.toFixed(2)}`).toBeGreaterThanOrEqual(MINIMUM);
      }
    }
  });

  test('levels differ from each other and from the surface', () => {
    const shades = [surface, ...LEVELS.map((level) => over(color(`heat-${level}`), surface))];
    for (const [at, shade] of shades.slice(1).entries()) {
      expect(contrast(shade, shades[at] ?? surface), `level ${at + 1}`).toBeGreaterThan(1.04);
    }
  });

  test.each(['muted', 'accent', 'danger'])('%s is readable on every surface', (name) => {
    for (const place of ['background', 'surface', 'raised']) {
      expect(contrast(color(name), color(place)), place).toBeGreaterThanOrEqual(MINIMUM);
    }
  });

  test('an exported page has the same levels', () => {
    for (const level of LEVELS) {
      const value = colors.get(`--heat-${level}`) ?? '';
      expect(exported).toContain(`mark.l${level} { background: ${value}; }`);
    }
  });
});
