// docs/http.md shows the types of the WebSocket's messages.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8').replaceAll('\r\n', '\n');

test.each([
  ['../src/generated/live.ts', "from './lists';\n"],
  ['../src/client/messages.ts', "'codegaze.1';\n"],
])('the types of %s are documented', (path, head) => {
  const text = read(path);
  expect(text).toContain(head);
  const shown = text.slice(text.indexOf(head) + head.length).trim();
  expect(read('../../docs/http.md')).toContain(`\`\`\`ts\n${shown}\n\`\`\`\n`);
});
