// Heat on the source: the right words, the right levels, and nothing else touched.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { analyse, CodeServer, example, here, packExtension } from './codeServer.mjs';
import { eventually, sleep } from './editor.mjs';

let server;
before(async () => {
  const other = packExtension(join(here, 'fixtures/other-language'), join(here, '../../.vscode-test/other-language.vsix'));
  server = await CodeServer.launch({ extensions: [other] });
});
after(() => server?.close());

const LANGUAGES = ['fibonacci.py', 'tokenizer.rs', 'event_emitter.ts', 'LruCache.java', 'workers.go'];

test('heat lies on the right words in five languages', async () => {
  const workspace = server.workspace(Object.fromEntries(LANGUAGES.map((name) => [name, example(name)])));
  const editor = await server.open(workspace, { file: LANGUAGES[0] });
  for (const name of LANGUAGES) {
    if (name !== LANGUAGES[0]) await editor.openFile(name);
    const compared = await editor.expectHeat(analyse(join(workspace, name)));
    assert.ok(compared > 30, `${name}: only ${compared} words have heat`);
    await editor.shoot(`heat-${name}`);
    // Lines that were not painted at first.
    await editor.page.keyboard.press('Control+End');
    await editor.expectHeat(analyse(join(workspace, name)));
  }
  assert.deepEqual(editor.problems, []);
  await editor.close();
});
