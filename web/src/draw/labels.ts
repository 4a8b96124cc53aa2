// Labels of words: what is shown of them, and which of them have room.

const LENGTH = 20;

/** Characters that a person cannot see, or that change the order of the letters around them. Joiners inside emoji stay. */
const INVISIBLE =
  /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb]/gu;

/** `U+202E` */
export const codePoint = (char: string): string =>
  `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** The text with every invisible character as a visible one. */
export const visible = (text: string): string =>
  text
    .replaceAll('\n', '⏎')
    .replaceAll('\t', '⇥')
    .replaceAll(INVISIBLE, (char) => `⟨${codePoint(char)}⟩`);

export function shorten(label: string, length = LENGTH): string {
  const chars = [...visible(label)];
  return chars.length > length ? `${chars.slice(0, length - 1).join('')}…` : chars.join('');
}

const IDENTIFIER = /^[\p{L}_$@][\p{L}\p{N}_$]*$/u;
/** Words after which a name is declared, in the languages of the examples. */
const DECLARES = new Set(
  'def class fn struct enum trait impl mod func type function interface namespace package void module public'.split(
    ' ',
  ),
);
/** Common keywords tell less about a function than its names do. */
const KEYWORDS = new Set(
  (
    'and as async await break case catch const continue def default do elif else end except export extends final finally fn for ' +
    'from func function if impl import in is let match mut new not null or pass private protected pub public return self static ' +
    'struct switch this throw throws try type use var void while with yield int bool string'
  ).split(' '),
);

const READABLE = /[\p{L}\p{N}]/u;

const RANKS = { name: 3, identifier: 2, keyword: 1, other: 0 };

function rankOf(labels: readonly string[], index: number): number {
  const label = (labels[index] ?? '').trim();
  if (!IDENTIFIER.test(label)) return RANKS.other;
  if (KEYWORDS.has(label)) return RANKS.keyword;
  return DECLARES.has(labels[index - 1] ?? '') ? RANKS.name : RANKS.identifier;
}

/**
 * The labels to draw if only every `distance`th has room, ascending: first the names that the text declares, then other identifiers, then
 * the rest; among these, labels with a greater `strength` first. No two are closer than `distance`. Punctuation is left out if other
 * labels compete with it.
 */
export function chooseLabels(labels: readonly string[], strength: readonly number[], distance: number): number[] {
  if (distance <= 1) return labels.map((_, index) => index);
  const all = labels.map((_, index) => ({ index, rank: rankOf(labels, index), strength: strength[index] ?? 0 }));
  const readable = all.filter(({ index }) => READABLE.test(labels[index] ?? ''));
  const candidates = readable.length > 0 ? readable : all;
  candidates.sort((a, b) => b.rank - a.rank || b.strength - a.strength || a.index - b.index);
  const isTaken = new Uint8Array(labels.length);
  const chosen: number[] = [];
  for (const { index } of candidates) {
    if (isTaken[index]) continue;
    chosen.push(index);
    isTaken.fill(1, Math.max(0, index - distance + 1), Math.min(labels.length, index + distance));
  }
  return chosen.sort((a, b) => a - b);
}
