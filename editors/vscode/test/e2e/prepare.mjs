// What the tests in a real editor stand on: Chromium, code-server, the packaged extension; and a clean end.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const extension = join(here, '../..');

/** This machine cannot get a tool: a failure, or with ALLOW_SKIP=1 a message. */
function missing(message) {
  if (process.env.ALLOW_SKIP === '1') {
    process.stderr.write(`SKIPPED: ${message}, so the VS Code extension was not tested in an editor\n`);
    process.exit(0);
  }
  process.stderr.write(`ERROR: ${message} (ALLOW_SKIP=1 goes on without)\n`);
  process.exit(1);
}

function run(command, args, options = {}) {
  const { status, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
  if (status !== 0) process.stderr.write(`${stdout ?? ''}\n${command} ${args.join(' ')} failed\n`);
  return status === 0 ? stdout.trim() : null;
}

const onPath = (names) =>
  process.env.PATH.split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(existsSync);

function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const found = onPath(names);
  if (found) return found;
  if (onPath(['apt-get']) && process.getuid?.() === 0) {
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  }
  return onPath(names) ?? missing('Chromium is missing, and apt-get does not bring it');
}

/** Brings everything here that is not, and packs the extension; returns the environment that `codeServer.mjs` reads. */
export function prepare() {
  const codegaze = resolve(process.env.CODEGAZE_BIN || join(extension, '../../target/release/codegaze'));
  const vsix = join(extension, '.vscode-test/codegaze.vsix');
  const chromium = findChromium();
  const folder = process.env.CODE_SERVER_DIR || join(extension, '.vscode-test/code-server');
  const installed = run('bash', [join(here, '../install-code-server.sh'), folder]);
  if (installed === null) missing('code-server cannot be installed');
  const packed = run(process.execPath, [join(extension, 'scripts/package.mjs'), '--out', vsix], {
    env: { ...process.env, CODEGAZE_BIN: codegaze },
  });
  if (packed === null) process.exit(1);
  return { CODEGAZE_BIN: codegaze, CODE_SERVER: installed.split('\n').at(-1), CHROMIUM: chromium, VSIX: vsix };
}

const read = (look, fallback) => {
  try {
    return look();
  } catch {
    return fallback;
  }
};

/** Processes that have to do with a folder: their program, arguments or environment name it. */
function processesOf(folder) {
  if (!existsSync('/proc/self/environ')) return [];
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return numbers.flatMap((number) => {
    const text = (name) => read(() => readFileSync(`/proc/${number}/${name}`, 'utf8').replaceAll('\0', ' '), '');
    const program = read(() => readlinkSync(`/proc/${number}/exe`), '');
    const says = [program, text('cmdline'), text('environ')];
    // A process that has ended has no program.
    return program !== '' && says.some((each) => each.includes(folder))
      ? [{ pid: Number(number), command: text('cmdline').slice(0, 120) || program }]
      : [];
  });
}

/**
 * Runs Node with all temporary files in a folder of their own; nothing that it started outlives it, not even when it is interrupted.
 * Returns the exit status; something that had to be ended is a failure.
 */
export async function supervise(args, environment) {
  const folder = mkdtempSync(join(tmpdir(), 'codegaze-e2e-'));
  const child = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, ...environment, TMPDIR: folder },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const status = await new Promise((done) => child.once('exit', (code) => done(code ?? 1)));
  // Chromium's helpers end on their own a moment after it.
  const end = Date.now() + 5000;
  let left = processesOf(folder);
  while (left.length > 0 && Date.now() < end) {
    await new Promise((done) => setTimeout(done, 100));
    left = processesOf(folder);
  }
  for (const { pid, command } of left) {
    process.stderr.write(`ERROR: still running after the tests: ${pid} ${command}\n`);
    read(() => process.kill(pid, 'SIGKILL'));
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return left.length > 0 ? 1 : status;
}
