// Settings, as package.json declares them.
import * as vscode from 'vscode';
import { CLIENT_COMMANDS, type Style } from './names';

export const SECTION = 'codegaze';

function get<T>(key: string, fallback: T, scope?: vscode.ConfigurationScope): T {
  return vscode.workspace.getConfiguration(SECTION, scope ?? null).get<T>(key) ?? fallback;
}

export const settings = {
  /** Is heat to be shown in this document? Can be set for a language. */
  isEnabled: (document: vscode.TextDocument) => get('enabled', true, document),
  style: (): Style => get<Style>('style', 'background'),
  minLevel: () => get('minLevel', 1),
  debounceMs: () => get('debounceMs', 150),
  languages: () => get<string[]>('languages', []),
  hasCursorAttention: () => get('cursorAttention', false),
  highlightLimit: () => get('highlight.limit', 5),
  highlightThreshold: () => get('highlight.threshold', 0.02),
  serverPath: () => get('server.path', ''),
  model: () => get('model', 'auto'),
};

/** Contrast themes get frames, as backgrounds would cost contrast. */
export const isHighContrast = () =>
  [vscode.ColorThemeKind.HighContrast, vscode.ColorThemeKind.HighContrastLight].includes(
    vscode.window.activeColorTheme.kind,
  );

/** Writes where the setting is set already, else to the user's own settings. */
export async function write(key: string, value: unknown): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(SECTION, null);
  const target =
    configuration.inspect(key)?.workspaceValue === undefined
      ? vscode.ConfigurationTarget.Global
      : vscode.ConfigurationTarget.Workspace;
  await configuration.update(key, value, target);
}

/** What the server gets with `initialize`; afterwards it asks for the section itself. */
export function initializationOptions(): Record<string, unknown> {
  const configuration = vscode.workspace.getConfiguration(SECTION, null);
  // A copy: what VS Code hands out is a proxy that cannot be sent.
  const section = JSON.parse(JSON.stringify(vscode.workspace.getConfiguration(undefined, null).get(SECTION) ?? {}));
  return { ...section, model: configuration.get('model'), clientCommands: CLIENT_COMMANDS };
}

const isMatch = (language: string, languages: readonly string[]) =>
  languages.includes('*') || languages.includes(language);

/** Schemes of documents that a person writes; output, diffs' left sides and the like are left alone. */
const SCHEMES = ['file', 'untitled', 'vscode-notebook-cell', 'vscode-remote', 'vscode-vfs'];

export function isAnalyzed(document: vscode.TextDocument, languages = settings.languages()): boolean {
  return SCHEMES.includes(document.uri.scheme) && isMatch(document.languageId, languages);
}

export function documentSelector(): { scheme: string; language: string }[] {
  return SCHEMES.flatMap((scheme) => settings.languages().map((language) => ({ scheme, language })));
}
