// Syntax colors for PHP, which CodeMirror has only together with those for HTML, CSS and JavaScript.
import { clike } from '@codemirror/legacy-modes/mode/clike';

const words = (list: string) => Object.fromEntries(list.split(' ').map((word) => [word, true]));

interface Stream {
  match(pattern: RegExp): unknown;
  skipToEnd(): void;
}

export const php = clike({
  name: 'php',
  keywords: words(
    'abstract and as break case catch class clone const continue declare default do else elseif enum extends final finally fn for foreach function global goto if implements include include_once instanceof interface match namespace new or private protected public readonly require require_once return static switch throw trait try use var while xor yield echo print',
  ),
  types: words('array bool callable float int iterable mixed never object self static string void'),
  blockKeywords: words('catch do else elseif for foreach if switch try while finally'),
  atoms: words('true false null TRUE FALSE NULL'),
  multiLineStrings: true,
  hooks: {
    '#': (stream: Stream) => {
      if (stream.match(/^\[/)) return 'meta';
      stream.skipToEnd();
      return 'comment';
    },
    '<': (stream: Stream) => (stream.match(/^\?(php|=)?/) ? 'meta' : false),
    '?': (stream: Stream) => (stream.match(/^>/) ? 'meta' : false),
  },
});
