// Is every Lua file of the plugin formatted as stylua.toml says? `--write` formats them.
//
// StyLua's own programs are downloaded from where it is released; its WebAssembly build is an npm package, and needs nothing else.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config, IndentType, LuaVersion, OutputVerification, QuoteStyle, formatCode } from '@johnnymorganz/stylua';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const words = { IndentType, QuoteStyle, LuaVersion };
const kinds = { syntax: 'LuaVersion', indent_type: 'IndentType', quote_style: 'QuoteStyle' };

function config() {
  const result = Config.new();
  for (const line of readFileSync(join(root, 'stylua.toml'), 'utf8').split('\n')) {
    const [, key, text, number] = line.match(/^(\w+) = (?:"(\w+)"|(\d+))$/) ?? [];
    if (!key) {
      if (line.trim()) throw new Error(`stylua.toml: cannot read ${line}`);
      continue;
    }
    const value = text === undefined ? Number(number) : words[kinds[key]]?.[text];
    if (value === undefined || !(key in result)) throw new Error(`stylua.toml: unknown ${line}`);
    result[key] = value;
  }
  return result;
}

const write = process.argv.includes('--write');
let wrong = 0;
for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  if (!entry.isFile() || path.includes('node_modules') || !/\.lua$/.test(path)) continue;
  const source = readFileSync(path, 'utf8');
  const formatted = formatCode(source, config(), undefined, OutputVerification.Full);
  if (formatted === source) continue;
  if (write) writeFileSync(path, formatted);
  else {
    wrong += 1;
    console.error(`not formatted: ${relative(root, path)}`);
  }
}
if (wrong > 0) {
  console.error('node editors/nvim/tests/stylua.mjs --write');
  process.exit(1);
}
