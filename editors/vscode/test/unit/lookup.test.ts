import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findServer, ServerMissing } from '../../src/lookup';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'codegaze-lookup-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(...parts: string[]): string {
  const path = join(folder, ...parts);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
  chmodSync(path, 0o755);
  return path;
}

const find = (configured = '', platform: NodeJS.Platform = 'linux') =>
  findServer({
    configured,
    extensionPath: join(folder, 'extension'),
    pathVariable: ['', '.', join(folder, 'empty'), join(folder, 'bin')].join(delimiter),
    platform,
  });

describe('the server', () => {
  test('is the setting’s, before the bundled one, before PATH’s', () => {
    expect(() => find()).toThrow(ServerMissing);
    const onPath = program('bin', 'codegaze');
    expect(find()).toEqual({ path: onPath, origin: 'PATH' });
    const bundled = program('extension', 'server', 'codegaze');
    expect(find()).toEqual({ path: bundled, origin: 'bundled' });
    const mine = program('mine', 'my-codegaze');
    expect(find(` ${mine} `)).toEqual({ path: mine, origin: 'setting' });
  });

  test('may be named and looked for on PATH', () => {
    const nightly = program('bin', 'codegaze-nightly');
    expect(find('codegaze-nightly')).toEqual({ path: nightly, origin: 'setting' });
  });

  test('of a wrong setting is not replaced by another', () => {
    program('bin', 'codegaze');
    expect(() => find('/nowhere/codegaze')).toThrow(/"\/nowhere\/codegaze"/);
    // Relative to whatever directory the editor was started in.
    expect(() => find('./codegaze')).toThrow(ServerMissing);
    expect(() => find(folder)).toThrow(ServerMissing);
  });

  test('must be one that may be run', () => {
    chmodSync(program('bin', 'codegaze'), 0o644);
    if (process.platform !== 'win32') expect(() => find()).toThrow(ServerMissing);
  });

  test('has another name on Windows', () => {
    const bundled = program('extension', 'server', 'codegaze.exe');
    expect(find('', 'win32').path).toBe(bundled);
  });
});
