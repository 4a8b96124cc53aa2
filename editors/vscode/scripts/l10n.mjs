// Writes l10n/bundle.l10n.json, the messages of the code that can be translated: `npm run l10n`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = readdirSync(join(here, 'src'), { recursive: true }).filter((name) => name.endsWith('.ts'));
const messages = sources.flatMap((name) =>
  [...readFileSync(join(here, 'src', name), 'utf8').matchAll(/l10n\.t\(\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)")/g)].map(
    ([, single, double]) => double ?? single.replaceAll("\\'", "'"),
  ),
);
const bundle = Object.fromEntries([...new Set(messages)].sort().map((message) => [message, message]));
writeFileSync(join(here, 'l10n/bundle.l10n.json'), `${JSON.stringify(bundle, null, 2)}\n`);
