// The repository's examples, part of the bundle.
import type { LanguageId } from './editor/languages';

export interface Example {
  name: string;
  language: LanguageId;
  text: string;
}

const files = import.meta.glob<string>('../../examples/*', { query: '?raw', import: 'default', eager: true });

const LANGUAGE_OF: Record<string, LanguageId> = {
  py: 'python',
  rs: 'rust',
  js: 'javascript',
  ts: 'typescript',
  java: 'java',
  c: 'c',
  cpp: 'cpp',
  go: 'go',
  rb: 'ruby',
  php: 'php',
};

const order = Object.values(LANGUAGE_OF);

export const EXAMPLES: readonly Example[] = Object.entries(files)
  .map(([path, text]) => {
    const name = path.split('/').at(-1) ?? path;
    return { name, language: LANGUAGE_OF[name.split('.').at(-1) ?? ''] ?? 'text', text };
  })
  .sort((a, b) => order.indexOf(a.language) - order.indexOf(b.language));
