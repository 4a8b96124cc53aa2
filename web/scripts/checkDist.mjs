// Fails when `dist/`, which is committed and embedded in the program, is not what the sources make.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const made = mkdtempSync(join(tmpdir(), 'codegaze-web-'));
try {
  await build({ root, logLevel: 'warn', build: { outDir: made, emptyOutDir: true } });
  const names = (folder) => readdirSync(folder).sort();
  const all = new Set([...names(dist), ...names(made)]);
  const differ = [...all].filter((name) => {
    const isThere = [dist, made].map((folder) => names(folder).includes(name));
    return !isThere.every(Boolean) || !readFileSync(join(dist, name)).equals(readFileSync(join(made, name)));
  });
  for (const name of differ) process.stderr.write(`web/dist/${name} is not what the sources make\n`);
  if (differ.length > 0) {
    process.stderr.write('run `npm run build` in web/ and commit what it changes\n');
    process.exitCode = 1;
  }
} finally {
  rmSync(made, { recursive: true });
}
