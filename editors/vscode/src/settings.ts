// Settings, as package.json declares them.
import * as vscode from 'vscode';
import { CLIENT_COMMANDS, LEVELS, OWN_DEFAULTS, SERVER_SETTINGS, type Style } from './names';

export const SECTION = 'codegaze';

function get<T>(key: string, fallback: T, scope?: vscode.ConfigurationScope): T {
  return vscode.workspace.getConfiguration(SECTION, scope ?? null).get<T>(key) ?? fallback;
}

const DEFAULT_MIN_LEVEL = 3;

/** The level that a setting names. The server warns of a value that is not a level, and uses the default too. */
export const levelOf = (value: unknown): number => LEVELS.find((level) => level === value) ?? DEFAULT_MIN_LEVEL;

export const settings = {
  /** Whether attention is shown in this document. Can be set for a language. */
  isEnabled: (document: vscode.TextDocument) => get('enabled', true, document),
  style: (): Style => get<Style>('style', 'background'),
  minLevel: () => levelOf(get<unknown>('minLevel', DEFAULT_MIN_LEVEL)),
  debounceMs: () => get('debounceMs', 150),
  languages: () => get<string[]>('languages', []),
  hasCursorAttention: () => get('cursorAttention', false),
  highlightLimit: () => get('highlight.limit', 5),
  highlightThreshold: () => get('highlight.threshold', 0.02),
  serverPath: () => get('server.path', ''),
  model: () => get('model', 'auto'),
};

/** High-contrast themes have frames, because backgrounds reduce the contrast. */
export const isHighContrast = () =>
  [vscode.ColorThemeKind.HighContrast, vscode.ColorThemeKind.HighContrastLight].includes(
    vscode.window.activeColorTheme.kind,
  );

/** Writes to the workspace's settings if they have this setting, otherwise to the user's. */
export async function write(key: string, value: unknown): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(SECTION, null);
  const target =
    configuration.inspect(key)?.workspaceValue === undefined
      ? vscode.ConfigurationTarget.Global
      : vscode.ConfigurationTarget.Workspace;
  await configuration.update(key, value, target);
}

/** Takes back a setting wherever it is set. */
export async function removeSetting(key: string): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(SECTION, null);
  const found = configuration.inspect(key);
  const { Global, Workspace } = vscode.ConfigurationTarget;
  if (found?.workspaceValue !== undefined) await configuration.update(key, undefined, Workspace);
  if (found?.globalValue !== undefined) await configuration.update(key, undefined, Global);
}

/** Switches attention on or off for one language. */
export async function writeEnabledFor(languageId: string, isEnabled: boolean): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(SECTION, { languageId });
  const target =
    configuration.inspect('enabled')?.workspaceLanguageValue === undefined
      ? vscode.ConfigurationTarget.Global
      : vscode.ConfigurationTarget.Workspace;
  await configuration.update('enabled', isEnabled, target, true);
}

/**
 * The settings that the user or the workspace set, and the extension's own defaults. Defaults of the server are left out: they would
 * override the project's `.codegaze.toml`.
 */
export function serverSettings(): Record<string, unknown> {
  const configuration = vscode.workspace.getConfiguration(SECTION, null);
  const given: Record<string, unknown> = {};
  for (const key of SERVER_SETTINGS) {
    const found = configuration.inspect(key);
    const isSet = [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some(
      (value) => value !== undefined,
    );
    // A copy: VS Code's value can be a proxy, which cannot be sent.
    if (isSet || OWN_DEFAULTS.includes(key)) given[key] = JSON.parse(JSON.stringify(configuration.get(key) ?? null));
  }
  return { ...given, clientCommands: CLIENT_COMMANDS };
}

const isMatch = (language: string, languages: readonly string[]) =>
  languages.includes('*') || languages.includes(language);

/** Schemes of source code: files, and their older versions on the left of a diff. Output and the like are not analyzed. */
const SCHEMES = ['file', 'untitled', 'git', 'gitlens', 'pr', 'vscode-notebook-cell', 'vscode-remote', 'vscode-vfs'];

export function isAnalyzed(document: vscode.TextDocument, languages = settings.languages()): boolean {
  return SCHEMES.includes(document.uri.scheme) && isMatch(document.languageId, languages);
}

export function documentSelector(): { scheme: string; language: string }[] {
  return SCHEMES.flatMap((scheme) => settings.languages().map((language) => ({ scheme, language })));
}
