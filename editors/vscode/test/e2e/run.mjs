// The extension in a real editor: code-server and Chromium. `npm run test:e2e [-- FILE…]`
//
// CODEGAZE_BIN: the server's program, default ../../target/release/codegaze.
// CODE_SERVER_DIR: where code-server is, or is to be installed; default .vscode-test/code-server.
// ALLOW_SKIP=1: a machine that cannot have code-server or Chromium says so, and succeeds.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare, supervise } from './prepare.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const start = Date.now();
const environment = prepare();

// Names of files; what begins with `-` is for node, as in --test-name-pattern=crash.
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const given = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const files = given.length > 0 ? given : readdirSync(here).filter((file) => file.endsWith('.test.mjs'));
// One after the other: each has an editor and a browser, and the machine may be small.
const flags = ['--test', '--test-concurrency=1', '--test-timeout=600000', ...options];
const status = await supervise([...flags, ...files.map((file) => join(here, file))], environment);
process.stdout.write(`VS Code extension in an editor: ${Math.round((Date.now() - start) / 1000)} s\n`);
process.exit(status);
