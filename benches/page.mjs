// Measures how long a frame of the page takes while the pointer moves over a matrix of nearly 512 subwords and the matrix scrolls.
//
//     node benches/page.mjs           prints a table; needs `cargo build --release` and `npm ci` in web/
//     node benches/page.mjs --check   and fails if the median is above the limit
import { availableParallelism } from 'node:os';
import { launch, open, serve, settled, type, withPage } from '../web/e2e/support.mjs';

const LIMIT_MS = 34;
const N_FRAMES = 60;

/** Milliseconds of each frame, ascending. */
async function frames(page, id) {
  const times = await page.evaluate(
    async ([scrollerId, count]) => {
      const element = document.getElementById(scrollerId);
      const box = element.getBoundingClientRect();
      const measured = [];
      let before = performance.now();
      for (let step = 0; step < count; step++) {
        const clientX = box.x + (scrollerId === 'arcs' ? 20 : 150 + 3 * step);
        const clientY = box.y + 150 + 5 * step;
        element.dispatchEvent(new MouseEvent('mousemove', { clientX, clientY, bubbles: true }));
        element.scrollTop += 7;
        await new Promise((next) => requestAnimationFrame(next));
        const now = performance.now();
        measured.push(now - before);
        before = now;
      }
      return measured;
    },
    [id, N_FRAMES],
  );
  return times.sort((a, b) => a - b);
}

let isMissed = false;
const [browser, server] = await Promise.all([launch(), serve()]);
try {
  await withPage(browser, server.address, async (page) => {
    await type(page, 'v = w\n'.repeat(124));
    await page.selectOption('#part', 'chunk');
    await page.selectOption('#unit', 'subword');
    await page.waitForFunction(() => document.querySelector('#matrix')?.ariaLabel?.match(/of (\d+) words/)?.[1] > 450);
    process.stdout.write('| pane | limit | a frame | ok |\n| --- | --- | --- | --- |\n');
    for (const [pane, id] of [
      ['matrix', 'matrix'],
      ['heads', 'arcs'],
    ]) {
      await open(page, pane);
      await settled(page);
      const times = await frames(page, id);
      const [median, slow] = [times[Math.floor(N_FRAMES / 2)], times[Math.floor(0.95 * N_FRAMES)]];
      isMissed ||= median > LIMIT_MS;
      const row = [
        pane,
        `median ≤ ${LIMIT_MS} ms`,
        `median ${median.toFixed(1)} ms, 95 % ≤ ${slow.toFixed(1)} ms`,
        median <= LIMIT_MS ? 'yes' : '**no**',
      ];
      process.stdout.write(`| ${row.join(' | ')} |\n`);
    }
  });
} finally {
  await browser.close();
  await server.end();
}
process.stdout.write(`\n${availableParallelism()} cores\n`);
if (isMissed && process.argv.includes('--check')) process.exitCode = 1;
