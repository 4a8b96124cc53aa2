// The editor: CodeMirror with heat.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, indentOnInput } from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, Transaction } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
} from '@codemirror/view';
import { codePoint } from '../draw/labels';
import type { Change, Position, Range } from '../generated/live';
import { changesOf } from './changes';
import { heatExtension, type Outline, type PaintedHeat, paintHeat, showOutlines } from './heat';
import { type LanguageId, support } from './languages';
import { offsetOf, positionOf } from './positions';
import { editorTheme, syntaxColors } from './theme';

export interface EditorEvents {
  /** The text changed. `changes` apply one after another. */
  onEdit(changes: Change[]): void;
  /** `isTyping`: the cursor moved because the text changed. */
  onCursor(position: Position, isTyping: boolean): void;
  /** The visible lines changed. */
  onScroll(lines: { first: number; last: number }): void;
}

const SCROLL_PAUSE_MS = 80;

/** When the user types over a selection with a background, Chromium creates an element with a style attribute, which the policy forbids. */
const overSelection = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { state } = view;
    if (event.inputType !== 'insertText' || event.data === null || event.isComposing) return false;
    if (state.readOnly || state.selection.ranges.every(({ empty }) => empty)) return false;
    event.preventDefault();
    view.dispatch(state.update(state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true }));
    return true;
  },
});

/** Characters that CodeMirror does not treat as special: they hide, or change the direction of the text after them. */
const ADDED = /[\u180e\u202a-\u202e\u2060-\u2064\u2068]/;

/** An invisible character as its code point, so that the text reads in the order in which the model reads it. */
function codePointMark(code: number): HTMLElement {
  const mark = document.createElement('span');
  mark.className = 'cm-specialChar';
  mark.textContent = codePoint(String.fromCodePoint(code));
  mark.title = `The invisible character ${mark.textContent}`;
  return mark;
}

export class Editor {
  private readonly view: EditorView;
  private readonly language = new Compartment();
  private scrollTimer: ReturnType<typeof setTimeout> | undefined;

  /** In a shadow root, CodeMirror's styles are constructed style sheets, which a strict content security policy permits. */
  constructor(
    parent: HTMLElement,
    text: string,
    language: LanguageId,
    private readonly events: EditorEvents,
  ) {
    const root = parent.attachShadow({ mode: 'open' });
    this.view = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(),
          highlightSpecialChars({ render: codePointMark, addSpecialChars: ADDED }),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          search({ top: true }),
          highlightSelectionMatches(),
          // Tab leaves the editor, as it leaves every other control.
          keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap]),
          overSelection,
          EditorView.contentAttributes.of({ 'aria-label': 'Source code' }),
          placeholder('Type or paste code'),
          this.language.of(support(language)),
          editorTheme,
          syntaxColors,
          heatExtension,
          EditorView.updateListener.of((update) => {
            if (update.docChanged) {
              this.events.onEdit(update.transactions.flatMap(changesOf));
              this.scrolled();
            }
            if (update.docChanged || update.selectionSet) this.events.onCursor(this.cursor, update.docChanged);
            if (update.viewportChanged && !update.docChanged) this.scrolled();
          }),
        ],
      }),
    });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  get cursor(): Position {
    return positionOf(this.view.state.doc, this.view.state.selection.main.head);
  }

  get visibleLines(): { first: number; last: number } {
    const { doc } = this.view.state;
    const { from, to } = this.view.viewport;
    return { first: doc.lineAt(from).number - 1, last: doc.lineAt(to).number - 1 };
  }

  /** The empty string if the line does not exist. */
  lineText(line: number): string {
    const { doc } = this.view.state;
    return line < doc.lines ? doc.line(line + 1).text : '';
  }

  /** Replaces the whole text. The user can undo it. */
  replace(text: string, language: LanguageId): void {
    this.view.dispatch({
      changes: { from: 0, to: this.view.state.doc.length, insert: text },
      selection: { anchor: 0 },
      effects: [this.language.reconfigure(support(language)), EditorView.scrollIntoView(0, { y: 'start' })],
      annotations: Transaction.addToHistory.of(true),
    });
  }

  setLanguage(language: LanguageId): void {
    this.view.dispatch({ effects: this.language.reconfigure(support(language)) });
  }

  paint(heat: PaintedHeat): void {
    paintHeat(this.view, heat);
  }

  outline(outlines: readonly Outline[]): void {
    showOutlines(this.view, outlines);
  }

  /** Puts the cursor at the start of `range`. `isWanted`: also moves the focus to the editor. */
  go(range: Range, isWanted: boolean): void {
    const { doc } = this.view.state;
    const anchor = offsetOf(doc, range.start);
    this.view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
    if (isWanted) this.view.focus();
  }

  focus(): void {
    this.view.focus();
  }

  private scrolled(): void {
    clearTimeout(this.scrollTimer);
    this.scrollTimer = setTimeout(() => this.events.onScroll(this.visibleLines), SCROLL_PAUSE_MS);
  }
}
