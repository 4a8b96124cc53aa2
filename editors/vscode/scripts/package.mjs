// Makes the VSIX with the server inside: `npm run package`.
//
// CODEGAZE_BIN: the program to put in; default ../../target/release/codegaze, and --no-server leaves it out.
// --target NAME: as in `vsce package --target`; default this platform's.
// --out FILE: default codegaze-TARGET.vsix.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const root = join(here, '../..');
const { values } = parseArgs({
  options: {
    target: { type: 'string', default: `${process.platform}-${process.arch}` },
    out: { type: 'string' },
    'no-server': { type: 'boolean', default: false },
  },
});
const hasServer = !values['no-server'];
const out = values.out ?? join(here, hasServer ? `codegaze-${values.target}.vsix` : 'codegaze.vsix');

mkdirSync(dirname(resolve(out)), { recursive: true });
rmSync(join(here, 'server'), { recursive: true, force: true });
if (hasServer) {
  const name = values.target.startsWith('win32') ? 'codegaze.exe' : 'codegaze';
  const program = process.env.CODEGAZE_BIN ?? join(root, 'target/release', name);
  if (!existsSync(program)) {
    process.stderr.write(`there is no ${program}: run \`cargo build --release\`, or set CODEGAZE_BIN to the program\n`);
    process.exit(1);
  }
  mkdirSync(join(here, 'server'));
  copyFileSync(program, join(here, 'server', name));
  chmodSync(join(here, 'server', name), 0o755);
}

const licences = ['LICENSE-MIT', 'LICENSE-APACHE'].map((file) => readFileSync(join(root, file), 'utf8'));
writeFileSync(join(here, 'LICENSE.txt'), `Under one of these, as you choose.\n\n${licences.join('\n\n')}`);

const vsce = join(here, 'node_modules/@vscode/vsce/vsce');
const target = hasServer ? ['--target', values.target] : [];
execFileSync(
  process.execPath,
  [vsce, 'package', '--no-dependencies', '--allow-missing-repository', ...target, '--out', out],
  { cwd: here, stdio: 'inherit' },
);
