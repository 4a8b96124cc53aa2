// Names that are written in two places are the same in both.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  CLIENT_COMMANDS,
  COLORS,
  COMMANDS,
  CONTEXTS,
  LEVELS,
  OWN_DEFAULTS,
  SERVER_SETTINGS,
  STYLES,
} from '../../src/names';
import { contrast, DEFAULT_THEMES, over } from './themes';

const extension = join(__dirname, '../..');
const root = join(extension, '../..');
const manifest = JSON.parse(readFileSync(join(extension, 'package.json'), 'utf8'));
const { contributes } = manifest;
const strings: Record<string, string> = JSON.parse(readFileSync(join(extension, 'package.nls.json'), 'utf8'));
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
  test('that the server reads are all passed to it', () => {
    const all = [...serverSettings.keys()].filter((key) => !['positionEncoding', 'clientCommands'].includes(key));
    expect([...SERVER_SETTINGS].sort()).toEqual(all.sort());
    // Without these, the server would use its own default.
    for (const key of OWN_DEFAULTS) {
      expect(properties[`codegaze.${key}`]?.default, key).not.toEqual(serverSettings.get(key));
    }
  });

  test('of the server are all there, with its defaults', () => {
    expect(serverSettings.size).toBeGreaterThan(20);
    // VS Code counts in UTF-16 alone, and which commands a client has is not a person's choice.
    for (const key of ['positionEncoding', 'clientCommands']) expect(serverSettings.delete(key)).toBe(true);
    // They would replace the language's own.
    serverSettings.set('features.semanticTokens', false);
    // VS Code shows hovers without a request of the user, and draws heat on colored text.
    serverSettings.set('hover.minLevel', 1);
    serverSettings.set('minLevel', 3);
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
  const text = JSON.stringify(contributes.walkthroughs) + JSON.stringify(strings);
  const used = [...text.matchAll(/command:([\w.]+)/g), ...text.matchAll(/onCommand:([\w.]+)/g)].map(([, id]) => id);
  for (const [, context] of text.matchAll(/onContext:([\w.]+)/g)) expect(Object.values(CONTEXTS)).toContain(context);
  expect(used.length).toBeGreaterThan(4);
  for (const id of used) expect(Object.values(COMMANDS)).toContain(id);
});

test('the marketplace page has what a visitor looks for', () => {
  for (const key of ['repository', 'bugs', 'homepage', 'galleryBanner']) expect(manifest[key], key).toBeTruthy();
  expect(manifest.keywords.length).toBeGreaterThan(5);
  const readme = readFileSync(join(extension, 'README.md'), 'utf8');
  expect(readme).toMatch(/no telemetry/i);
  const pictures = [...readme.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path = '']) => path);
  expect(pictures.length).toBeGreaterThan(0);
  for (const path of pictures) expect(existsSync(join(extension, path)), path).toBe(true);
});

describe('colors', () => {
  const colors = new Map<string, Record<string, string>>(
    contributes.colors.map(({ id, defaults }: { id: string; defaults: Record<string, string> }) => [id, defaults]),
  );

  test('are the code’s, with four defaults each', () => {
    const { background, border, line, ...others } = COLORS;
    const used = [...LEVELS.map(background), ...LEVELS.map(border), ...LEVELS.map(line), ...Object.values(others)];
    expect([...colors.keys()].sort()).toEqual(used.sort());
    for (const defaults of colors.values()) {
      expect(Object.keys(defaults)).toEqual(['dark', 'light', 'highContrast', 'highContrastLight']);
    }
  });

  test('of heat keep the contrast of every token color of the default themes', () => {
    for (const [name, { kind, background, tokens }] of Object.entries(DEFAULT_THEMES)) {
      expect(tokens.length, name).toBeGreaterThan(15);
      for (const level of LEVELS) {
        const heat = over(colors.get(COLORS.background(level))?.[kind] ?? '', background);
        for (const token of tokens.filter((each) => contrast(each, background) >= 4.5)) {
          expect(contrast(token, heat), `${token} of ${name} on level ${level}`).toBeGreaterThanOrEqual(4.5);
        }
      }
    }
  });

  test('of heat show higher levels by stronger lines', () => {
    for (const { kind, background } of Object.values(DEFAULT_THEMES)) {
      const steps = LEVELS.map((level) =>
        contrast(over(colors.get(COLORS.line(level))?.[kind] ?? '', background), background),
      );
      for (let at = 1; at < steps.length; at++) expect(steps[at]).toBeGreaterThan((steps[at - 1] ?? 0) * 1.15);
      // WCAG 2: at least 3 for graphical objects.
      expect(steps.at(-1)).toBeGreaterThanOrEqual(3);
    }
  });

  test('of outlines stand out from the editor’s background', () => {
    const grounds = { dark: '#1F1F1F', light: '#FFFFFF', highContrast: '#000000', highContrastLight: '#FFFFFF' };
    for (const id of [COLORS.query, COLORS.attendsTo, COLORS.attendedBy, COLORS.underline, COLORS.ruler]) {
      for (const [theme, ground] of Object.entries(grounds)) {
        // WCAG 2: at least 3 for graphical objects.
        expect(contrast(colors.get(id)?.[theme] ?? '', ground), `${id} on ${theme}`).toBeGreaterThanOrEqual(3);
      }
    }
  });
});
