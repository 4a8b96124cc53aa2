// docs/http.md shows the types of the WebSocket's messages, and docs/JSON.md those of the page's export.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8').replaceAll('\r\n', '\n');

test.each([
  ['../src/generated/live.ts', "from './lists';\n", '../../docs/http.md'],
  ['../src/client/messages.ts', "'codegaze.1';\n", '../../docs/http.md'],
  ['../src/export/format.ts', "'../generated/live';\n", '../../docs/JSON.md'],
])('the types of %s are documented', (path, head, page) => {
  const text = read(path);
  expect(text).toContain(head);
  const shown = text.slice(text.indexOf(head) + head.length).trim();
  expect(read(page)).toContain(`\`\`\`ts\n${shown}\n\`\`\`\n`);
});
