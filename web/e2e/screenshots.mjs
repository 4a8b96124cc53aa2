// Makes the README's pictures of the page, docs/images/page-dark.png and page-light.png. `npm run screenshots [-- FOLDER]`
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { analyze, caretAt, eventually, launch, open, root, serve, settled, shows, type, withPage } from './support.mjs';

const FILE = 'fibonacci.py';
const MAX_BYTES = 400_000;
const folder = resolve(process.argv[2] ?? join(root, 'docs/images'));

mkdirSync(folder, { recursive: true });
const text = readFileSync(join(root, 'examples', FILE), 'utf8');
const before = text.slice(0, text.indexOf('remembered(')).split('\n');
const [browser, server] = await Promise.all([launch(), serve()]);
try {
  for (const colorScheme of ['dark', 'light']) {
    await withPage(
      browser,
      server.address,
      async (page) => {
        await type(page, text);
        await shows(page, analyze(FILE, text));
        await open(page, 'heads');
        await caretAt(page, before.length - 1, before.at(-1).length + 1);
        await settled(page);
        await eventually(async () => assert.match(await page.textContent('#arcs-sentence'), /^remembered /));
        // The caret blinks.
        await page.evaluate(() => document.activeElement?.blur());
        await page.waitForTimeout(500);
        const path = join(folder, `page-${colorScheme}.png`);
        await page.screenshot({ path, animations: 'disabled' });
        const { size } = statSync(path);
        assert.ok(size < MAX_BYTES, `${path} has ${size} bytes`);
        process.stdout.write(`${path}: ${size} bytes\n`);
      },
      { viewport: { width: 1280, height: 720 }, colorScheme },
    );
  }
} finally {
  await browser.close();
  await server.end();
}
