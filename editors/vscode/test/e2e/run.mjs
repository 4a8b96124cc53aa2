// The extension in a real editor: code-server and Chromium. `npm run test:e2e [-- FILE…]`
//
// CODEGAZE_BIN: the server's program, default ../../target/release/codegaze.
// CODE_SERVER_DIR: where code-server is, or is to be installed; default .vscode-test/code-server.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const extension = join(here, '../..');
const codegaze = resolve(process.env.CODEGAZE_BIN ?? join(extension, '../../target/release/codegaze'));
const installed = process.env.CODE_SERVER_DIR ?? join(extension, '.vscode-test/code-server');
const vsix = join(extension, '.vscode-test/codegaze.vsix');

function run(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
  if (status !== 0) {
    process.stderr.write(`${stdout}\n${command} ${args.join(' ')} failed\n`);
    process.exit(1);
  }
  return stdout.trim();
}

const codeServer = run('bash', [join(here, '../install-code-server.sh'), installed])
  .split('\n')
  .at(-1);
run(process.execPath, [join(extension, 'scripts/package.mjs'), '--out', vsix], {
  env: { ...process.env, CODEGAZE_BIN: codegaze },
});

// Names of files; what begins with `-` is for node, as in --test-name-pattern=crash.
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const given = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const files = (given.length > 0 ? given : readdirSync(here).filter((file) => file.endsWith('.test.mjs'))).map((file) =>
  join(here, file),
);
// One after the other: each has an editor and a browser, and the machine may be small.
const tests = spawnSync(process.execPath, ['--test', '--test-concurrency=1', ...options, ...files], {
  stdio: 'inherit',
  env: { ...process.env, CODEGAZE_BIN: codegaze, CODE_SERVER: codeServer, VSIX: vsix },
});
process.exit(tests.status ?? 1);
