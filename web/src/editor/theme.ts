// The editor's theme. Its colors are the page's custom properties, so one theme is enough for light and dark.
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { LEVELS } from '../view/heat';

/** Levels differ in the kind of line, and not only in color. */
const LINES = { 1: '1px dotted', 2: '1px dashed', 3: '1px solid', 4: '2px solid', 5: '3px solid' } as const;

const FRAMES = { 1: '1px dotted', 2: '1px dotted', 3: '1px dashed', 4: '1px solid', 5: '2px solid' } as const;

/** With forced colors, the browser removes backgrounds. */
const frames = Object.fromEntries(LEVELS.map((level) => [`.heat-${level}`, { outline: FRAMES[level] }]));

const levels = Object.fromEntries(
  LEVELS.flatMap((level) => [
    [`.heat-${level}`, { backgroundColor: `var(--heat-${level})`, borderRadius: '2px' }],
    [`.line-${level}`, { borderBottom: `${LINES[level]} var(--underline)` }],
  ]),
);

export const editorTheme = EditorView.theme({
  '&': { height: '100%', color: 'var(--foreground)', backgroundColor: 'var(--surface)', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  // The gutter would hide an outline.
  '&.cm-focused::after': {
    content: '""',
    position: 'absolute',
    inset: '0',
    zIndex: '300',
    border: '2px solid var(--focus)',
    pointerEvents: 'none',
  },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--foreground)' },
  '.cm-cursor': { borderLeftColor: 'var(--foreground)', borderLeftWidth: '2px' },
  '.cm-gutters': { color: 'var(--muted)', backgroundColor: 'var(--surface)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'var(--active-line)' },
  '.cm-activeLineGutter': { color: 'var(--foreground)', backgroundColor: 'var(--active-line)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--selection)',
  },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': {
    backgroundColor: 'transparent',
    outline: '1px solid var(--muted)',
  },
  '.cm-panels': { color: 'var(--foreground)', backgroundColor: 'var(--raised)' },
  '.cm-searchMatch': { backgroundColor: 'transparent', outline: '1px solid var(--attends-to)' },
  '.cm-specialChar': {
    padding: '0 2px',
    color: 'var(--danger)',
    border: '1px solid currentColor',
    borderRadius: '3px',
    fontSize: '0.8em',
  },
  '.cm-placeholder': { color: 'var(--muted)' },
  ...levels,
  '@media (forced-colors: active)': frames,
  '.dim-half': { opacity: '0.7' },
  '.dim-far': { opacity: '0.4' },
  // Outside of the word's box, because a border inside it hides underscores.
  '.outline-query': { outline: '3px double var(--query)', outlineOffset: '0px', borderRadius: '2px' },
  '.outline-attends-to': { outline: '2px solid var(--attends-to)', borderRadius: '2px' },
  '.outline-attended-by': { outline: '2px dashed var(--attended-by)', borderRadius: '2px' },
});

/** Few syntax colors, because backgrounds carry the meaning. */
export const syntaxColors = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.controlKeyword], color: 'var(--keyword)' },
    { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.character], color: 'var(--string)' },
    { tag: [tags.comment, tags.docComment, tags.meta], color: 'var(--comment)', fontStyle: 'italic' },
    { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--number)' },
    { tag: [tags.typeName, tags.className, tags.namespace], color: 'var(--type)' },
    {
      tag: [tags.function(tags.definition(tags.variableName)), tags.function(tags.propertyName)],
      color: 'var(--name)',
    },
  ]),
);
