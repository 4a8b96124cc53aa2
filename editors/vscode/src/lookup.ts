// Where the server's program is: the setting, else the one of this extension, else PATH.
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';

export type Found = { path: string; origin: 'setting' | 'bundled' | 'PATH' };

export class ServerMissing extends Error {
  /** `configured`: the setting; `null` where it is empty and nothing was found. */
  constructor(readonly configured: string | null) {
    super(
      configured === null
        ? vscode.l10n.t(
            'There is no codegaze program: the extension contains none for this platform, and PATH has none.',
          )
        : vscode.l10n.t(
            'codegaze.server.path is "{0}", which is not a program: give an absolute path, or the name of a program on PATH.',
            configured,
          ),
    );
  }
}

export interface Places {
  configured: string;
  extensionPath: string;
  pathVariable: string;
  platform: NodeJS.Platform;
}

function isProgram(path: string, platform: NodeJS.Platform): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    if (platform !== 'win32') accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Relative entries and empty ones are skipped: they depend on the directory in which the editor was started, which may be untrusted. */
const onPath = (name: string, { pathVariable, platform }: Places) =>
  pathVariable
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .find((path) => isProgram(path, platform));

/** The program inside the extension; `null` if it has none for this platform. */
export function bundledServer(extensionPath: string, platform: NodeJS.Platform): string | null {
  const bundled = join(extensionPath, 'server', platform === 'win32' ? 'codegaze.exe' : 'codegaze');
  return isProgram(bundled, platform) ? bundled : null;
}

/** An invalid setting is an error: another program is not used instead. */
export function findServer(places: Places): Found {
  const { configured, extensionPath, platform } = places;
  const setting = configured.trim().replace(/^~(?=$|[\\/])/, homedir());
  if (setting !== '') {
    const path = /[\\/]/.test(setting) ? setting : onPath(setting, places);
    if (path !== undefined && isAbsolute(path) && isProgram(path, platform)) return { path, origin: 'setting' };
    throw new ServerMissing(configured);
  }
  const name = platform === 'win32' ? 'codegaze.exe' : 'codegaze';
  const bundled = bundledServer(extensionPath, platform);
  if (bundled !== null) return { path: bundled, origin: 'bundled' };
  const path = onPath(name, places);
  if (path !== undefined) return { path, origin: 'PATH' };
  throw new ServerMissing(null);
}
