// Names that are written in two places are the same in both.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CLIENT_COMMANDS, COLORS, COMMANDS, LEVELS, STYLES } from '../../src/names';

const extension = join(__dirname, '../..');
const root = join(extension, '../..');
const manifest = JSON.parse(readFileSync(join(extension, 'package.json'), 'utf8'));
const { contributes } = manifest;
const properties: Record<string, { default: unknown; enum?: string[]; scope?: string }> = Object.assign(
  {},
  ...contributes.configuration.map((group: { properties: object }) => group.properties),
);

/** Rows of the table of settings in docs/protocol.md: key → default. */
const serverSettings = new Map(
  [...readFileSync(join(root, 'docs/protocol.md'), 'utf8').matchAll(/^\| `([\w.]+)` \| [^|]* \| `([^`]*)` \|/gm)].map(
    ([, key = '', value = '']) => [key, JSON.parse(value)],
  ),
);

describe('settings', () => {
  test('of the server are all there, with its defaults', () => {
    expect(serverSettings.size).toBeGreaterThan(20);
    // VS Code counts in UTF-16 alone, and which commands a client has is not a person's choice.
    for (const key of ['positionEncoding', 'clientCommands']) expect(serverSettings.delete(key)).toBe(true);
    // They would take the place of the language's own.
    serverSettings.set('features.semanticTokens', false);
    for (const [key, value] of serverSettings) expect(properties[`codegaze.${key}`]?.default, key).toEqual(value);
  });

  test('of which a workspace could make a program run are restricted', () => {
    const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    expect(restrictedConfigurations).toEqual(['codegaze.server.path', 'codegaze.model']);
    for (const key of restrictedConfigurations) expect(properties[key]?.scope).toBe('machine-overridable');
  });

  test('have the styles that there are', () => expect(properties['codegaze.style']?.enum).toEqual([...STYLES]));
});

test('commands are the code’s', () => {
  const ids = contributes.commands.map(({ command }: { command: string }) => command);
  expect(ids.sort()).toEqual(Object.values(COMMANDS).sort());
  for (const { category } of contributes.commands) expect(category).toBe('Codegaze');
  // A clash with a command that the server registers would end the client's start.
  for (const id of ids) expect(id).not.toMatch(/^codegaze\.server\./);
  for (const id of CLIENT_COMMANDS) expect(ids).toContain(id);
});

test('commands in walkthroughs exist', () => {
  const text = JSON.stringify(contributes.walkthroughs);
  const used = [...text.matchAll(/command:([\w.]+)/g), ...text.matchAll(/onCommand:([\w.]+)/g)].map(([, id]) => id);
  expect(used.length).toBeGreaterThan(4);
  for (const id of used) expect(Object.values(COMMANDS)).toContain(id);
});

describe('colors', () => {
  const colors = new Map<string, Record<string, string>>(
    contributes.colors.map(({ id, defaults }: { id: string; defaults: Record<string, string> }) => [id, defaults]),
  );

  test('are the code’s, with four defaults each', () => {
    const { background, border, ...others } = COLORS;
    const used = [...LEVELS.map(background), ...LEVELS.map(border), ...Object.values(others)];
    expect([...colors.keys()].sort()).toEqual(used.sort());
    for (const defaults of colors.values()) {
      expect(Object.keys(defaults)).toEqual(['dark', 'light', 'highContrast', 'highContrastLight']);
    }
  });

  test('of heat are the hue and the ramp of the program’s own pictures', () => {
    const theme = readFileSync(join(root, 'crates/codegaze-view/src/theme.rs'), 'utf8');
    const hue = /HEAT_HUE: Rgb = Rgb::hex\(0x00(\w\w)_(\w{4})\)/.exec(theme)?.slice(1).join('');
    const alphas = /HEAT_ALPHA: \[f32; 5\] = \[([^\]]*)\]/.exec(theme)?.[1]?.split(',').map(Number) ?? [];
    expect(alphas).toHaveLength(5);
    alphas.forEach((alpha, at) => {
      const byte = Math.round(255 * alpha)
        .toString(16)
        .padStart(2, '0');
      const expected = `#${hue}${byte}`.toLowerCase();
      const defaults = colors.get(`codegaze.level${at + 1}Background`);
      expect(defaults?.dark?.toLowerCase()).toBe(expected);
      expect(defaults?.light?.toLowerCase()).toBe(expected);
    });
  });

  test('of outlines stand out from the editor’s background', () => {
    const luminance = (hex: string) => {
      const [r = 0, g = 0, b = 0] = [1, 3, 5]
        .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const grounds = { dark: '#1F1F1F', light: '#FFFFFF', highContrast: '#000000', highContrastLight: '#FFFFFF' };
    for (const id of [COLORS.query, COLORS.attendsTo, COLORS.attendedBy, COLORS.underline]) {
      for (const [theme, ground] of Object.entries(grounds)) {
        const [a = 0, b = 0] = [luminance(colors.get(id)?.[theme] ?? ''), luminance(ground)].sort((x, y) => y - x);
        // WCAG 2: at least 3 for graphical objects.
        expect((a + 0.05) / (b + 0.05), `${id} on ${theme}`).toBeGreaterThanOrEqual(3);
      }
    }
  });
});
