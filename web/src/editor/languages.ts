// Syntax colors for the languages of the examples. The model reads only the text.
import { StreamLanguage, type StreamParser } from '@codemirror/language';
import { c, cpp, java } from '@codemirror/legacy-modes/mode/clike';
import { go } from '@codemirror/legacy-modes/mode/go';
import { javascript, typescript } from '@codemirror/legacy-modes/mode/javascript';
import { python } from '@codemirror/legacy-modes/mode/python';
import { ruby } from '@codemirror/legacy-modes/mode/ruby';
import { rust } from '@codemirror/legacy-modes/mode/rust';
import type { Extension } from '@codemirror/state';
import { php } from './php';

/** The parser returns the tag `string special` in one place, which is invalid. */
function withTagsOf(parser: StreamParser<unknown>): StreamParser<unknown> {
  const token: StreamParser<unknown>['token'] = (stream, state) =>
    parser.token(stream, state)?.replace('string special', 'string.special') ?? null;
  return { ...parser, token };
}

export interface Language {
  name: string;
  parser: StreamParser<unknown> | null;
}

/** By the names in links and exports. */
export const LANGUAGES = {
  python: { name: 'Python', parser: python },
  rust: { name: 'Rust', parser: withTagsOf(rust) },
  javascript: { name: 'JavaScript', parser: javascript },
  typescript: { name: 'TypeScript', parser: typescript },
  java: { name: 'Java', parser: java },
  c: { name: 'C', parser: c },
  cpp: { name: 'C++', parser: cpp },
  go: { name: 'Go', parser: go },
  ruby: { name: 'Ruby', parser: ruby },
  php: { name: 'PHP', parser: php },
  text: { name: 'Plain text', parser: null },
} satisfies Record<string, Language>;

export type LanguageId = keyof typeof LANGUAGES;

export const isLanguage = (name: string): name is LanguageId => Object.hasOwn(LANGUAGES, name);

export function support(language: LanguageId): Extension {
  const { parser } = LANGUAGES[language];
  return parser ? StreamLanguage.define(parser as StreamParser<unknown>) : [];
}
