// docs/http.md shows the types that the client has.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8').replaceAll('\r\n', '\n');

test('the documented messages are the client’s', () => {
  const types = read('../src/client/messages.ts');
  const shown = types.slice(types.indexOf('export interface Change')).trimEnd();
  expect(read('../../docs/http.md')).toContain(`\`\`\`ts\n${shown}\n\`\`\`\n`);
});
