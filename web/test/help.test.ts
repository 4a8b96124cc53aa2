// Help texts link to sections that exist, and the legend says how long names are scored.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { HELP } from '../src/app/help';
import { DEFAULT_AGGREGATE } from '../src/generated/lists';
import { shortAggregate } from '../src/view/words';

const page = readFileSync(new URL('../../docs/ATTRIBUTION.md', import.meta.url), 'utf8');

test.each(Object.entries(HELP))(
  'the help of %s links to a heading of docs/ATTRIBUTION.md',
  (name, { section, text }) => {
    expect(text.length).toBeGreaterThan(40);
    // That page does not describe languages.
    if (name === 'language') expect(section).toBeUndefined();
    else expect(page).toMatch(new RegExp(`^#+ ${section?.replaceAll('.', '\\.')}$`, 'm'));
  },
);

test('the legend says that the default is corrected for length', () => {
  expect(shortAggregate(DEFAULT_AGGREGATE)).toBe('corrected for length');
  expect(shortAggregate('sum')).toBe('the sum over the subwords');
});
