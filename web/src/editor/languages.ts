// Syntax colours for the languages of the examples. What the model sees is the text alone.
import { cpp } from '@codemirror/lang-cpp';
import { go } from '@codemirror/lang-go';
import { java } from '@codemirror/lang-java';
import { javascript } from '@codemirror/lang-javascript';
import { php } from '@codemirror/lang-php';
import { python } from '@codemirror/lang-python';
import { rust } from '@codemirror/lang-rust';
import { StreamLanguage } from '@codemirror/language';
import { c } from '@codemirror/legacy-modes/mode/clike';
import { ruby } from '@codemirror/legacy-modes/mode/ruby';
import type { Extension } from '@codemirror/state';

export interface Language {
  name: string;
  /** The ending of its files. */
  extension: string;
  support(): Extension;
}

/** By the name that links and exports carry. */
export const LANGUAGES = {
  python: { name: 'Python', extension: 'py', support: () => python() },
  rust: { name: 'Rust', extension: 'rs', support: () => rust() },
  javascript: { name: 'JavaScript', extension: 'js', support: () => javascript() },
  typescript: { name: 'TypeScript', extension: 'ts', support: () => javascript({ typescript: true }) },
  java: { name: 'Java', extension: 'java', support: () => java() },
  c: { name: 'C', extension: 'c', support: () => StreamLanguage.define(c) },
  cpp: { name: 'C++', extension: 'cpp', support: () => cpp() },
  go: { name: 'Go', extension: 'go', support: () => go() },
  ruby: { name: 'Ruby', extension: 'rb', support: () => StreamLanguage.define(ruby) },
  php: { name: 'PHP', extension: 'php', support: () => php() },
  text: { name: 'Plain text', extension: 'txt', support: () => [] },
} satisfies Record<string, Language>;

export type LanguageId = keyof typeof LANGUAGES;

export const isLanguage = (name: string): name is LanguageId => Object.hasOwn(LANGUAGES, name);
