// The page, put together.
import { Colors, isColorChoice } from './app/colors';
import { element, fill, make } from './app/dom';
import { Explorer } from './app/explorer';
import { LookPickers, modelOf } from './app/pickers';
import { INITIAL, type Look, type Pane, type Settings } from './app/settings';
import { StatusLine } from './app/statusLine';
import { Tabs } from './app/tabs';
import { percent } from './draw/matrix';
import { Editor } from './editor/editor';
import type { Outline } from './editor/heat';
import { isLanguage, LANGUAGES, type LanguageId } from './editor/languages';
import { EXAMPLES } from './examples';
import { Exports } from './export/exports';
import type { MatrixResult, Range, RelationsResult, SummaryResult } from './generated/live';
import { ComparePane } from './panes/comparePane';
import { type Drawn, draw, indexAt, linesOf } from './panes/drawn';
import { HeadsPane } from './panes/headsPane';
import { MatrixPane } from './panes/matrixPane';
import { ModelPane } from './panes/modelPane';
import { SummaryPane } from './panes/summaryPane';
import { times, visible, WordPane } from './panes/wordPane';
import { AddressBar } from './share/addressBar';
import type { Shared } from './share/link';
import { STYLES, type Style } from './view/heat';
import { describeView } from './view/words';

const STYLE_NAMES: Record<Style, string> = {
  background: 'backgrounds',
  underline: 'underlines',
  spotlight: 'spotlight',
  off: 'off',
};

/** Panes that tell of the live view, rather than of what was asked for them. */
const isOfText = (pane: Pane) => pane === 'word' || pane === 'summary';

/** `trouble`: what is to be told at once. */
function start(shared: Shared | null, trouble: string | null = null): void {
  const first = EXAMPLES[0];
  let language: LanguageId = shared?.language ?? first?.language ?? 'text';
  let fileName = shared ? '' : (first?.name ?? '');
  let drawn: Drawn | null = null;
  let matrix: MatrixResult | null = null;
  let summary: SummaryResult | null = null;

  const colors = new Colors();
  const status = new StatusLine();
  const nothing = element('nothing', HTMLElement);
  const notice = element('notice', HTMLElement);
  const subtitle = element('subtitle', HTMLElement);

  /** Whether what is said is over with the next heat; otherwise it stays until something is done. */
  let isPassing = false;
  const say = (trouble: string | null) => {
    isPassing = false;
    notice.textContent = trouble ?? '';
    notice.hidden = trouble === null;
  };
  const sayPassing = (trouble: string | null) => {
    if (trouble === null && !isPassing) return;
    say(trouble);
    isPassing = true;
  };

  const editor = new Editor(element('editor', HTMLElement), shared?.text ?? first?.text ?? '', language, {
    onEdit: (changes) => explorer.edited(changes),
    onCursor: (position, isTyping) => {
      explorer.cursorMoved(position, isTyping);
      markCursor();
    },
    onScroll: (lines) => explorer.scrolled(lines),
  });

  const go = (range: Range | null) => {
    if (range) editor.go(range, false);
  };
  const point = (ranges: readonly (Range | null)[], query: number | null, key: number | null) => {
    const outlines: Outline[] = [];
    const [from, to] = [ranges[query ?? -1], ranges[key ?? -1]];
    if (from) outlines.push({ range: from, kind: 'query' });
    if (to && key !== query) outlines.push({ range: to, kind: query === null ? 'attended-by' : 'attends-to' });
    explorer.outline(query === null && key === null ? null : outlines);
  };
  const ofDrawn = {
    onPoint: (query: number | null, key: number | null) => point(drawn?.ranges ?? [], query, key),
    onChoose: (index: number) => go(drawn?.ranges[index] ?? null),
  };
  const matrixPane = new MatrixPane(colors, ofDrawn);
  const headsPane = new HeadsPane(colors, { ...ofDrawn, onStep: (choice) => explorer.choose(choice) });
  const modelPane = new ModelPane(({ layer, head }) => {
    explorer.choose({ layers: layer, heads: head, pane: 'matrix' });
    tabs.focus('matrix');
  });
  const wordPane = new WordPane(go);
  const summaryPane = new SummaryPane(go);
  const comparePane = new ComparePane(colors, {
    onPoint: (query, key) => point(comparePane.compared?.ranges ?? [], query, key),
    onChoose: (index) => go(comparePane.compared?.ranges[index] ?? null),
  });

  /** The word at the cursor, in whatever is drawn. */
  function markCursor(): void {
    const index = drawn && indexAt(drawn, editor.cursor);
    matrixPane.mark(index);
    headsPane.mark(index);
  }

  function showNothing(isNothing: boolean): void {
    document.body.classList.remove('busy');
    nothing.textContent = isNothing ? 'There is nothing but whitespace here. Type some code.' : '';
  }

  function showMatrix(answer: MatrixResult | null): void {
    matrix = answer;
    showNothing(!answer);
    drawn = answer && draw(answer, explorer.settings.part);
    const what = answer ? describe(answer) : '';
    subtitle.textContent = what;
    if (explorer.settings.pane === 'heads') headsPane.show(drawn, what);
    else matrixPane.show(drawn, what);
    headsPane.showView(answer?.view ?? null, modelOf(explorer.settings, explorer.models));
    for (const line of document.querySelectorAll('.sinks')) {
      line.textContent =
        answer && answer.sinkShare > 0 && answer.view.sinks === 'drop'
          ? `${percent(answer.sinkShare)} of the attention went to <s> and </s>; it is left out, and rows are shares of the rest.`
          : '';
    }
    markCursor();
  }

  function describe(answer: MatrixResult): string {
    const isDefinition = explorer.settings.part === 'definition' && answer.definition !== null;
    const lines = linesOf(isDefinition && answer.definition ? answer.definition : answer.range);
    const chunk = answer.chunks > 1 ? `, chunk ${answer.chunk} of 0–${answer.chunks - 1}` : '';
    return `${lines.replace(/^l/, 'L')}${chunk} · ${describeView(answer.view)}`;
  }

  function showWord(answer: RelationsResult | null, isTyping: boolean): void {
    wordPane.show(answer);
    const line = element('word-line', HTMLElement);
    line.setAttribute('aria-live', isTyping ? 'off' : 'polite');
    if (!answer) {
      line.textContent = '';
      return;
    }
    const { lexeme, attendsTo } = answer;
    const to = attendsTo[0] ? `, attends most to ${visible(attendsTo[0].text)} (${percent(attendsTo[0].weight)})` : '';
    line.replaceChildren(make('b', visible(lexeme.text)), ` ${times(lexeme.lift)} average, rank ${lexeme.rank}${to}`);
  }

  function showSettings(settings: Settings): void {
    tabs.show(settings.pane);
    pickers.show(settings, explorer.models);
    otherPickers.show(settings.other, explorer.models);
    fill(
      style,
      STYLES.map((name) => ({ value: name, text: STYLE_NAMES[name] })),
      settings.style,
    );
    part.value = settings.part;
    unit.value = settings.unit;
    element('axes', HTMLElement).hidden = settings.pane !== 'matrix' && settings.pane !== 'heads';
    // Each pane says what it is of.
    if (settings.pane === 'matrix' || settings.pane === 'heads') subtitle.textContent = matrix ? describe(matrix) : '';
    else subtitle.textContent = isOfText(settings.pane) && explorer.heat ? describeView(explorer.heat.view) : '';
    address.changed();
  }

  const explorer: Explorer = new Explorer(shared?.settings ?? INITIAL, editor, socketUrl(), {
    onModels: () => showSettings(explorer.settings),
    onSettings: showSettings,
    onLink: (link) => {
      status.showLink(link);
      if (link === 'unauthorized') element('token-dialog', HTMLDialogElement).showModal();
    },
    onLoading: (model) => status.showLoading(model),
    onHeat: (heat) => {
      status.showHeat(heat);
      if (isOfText(explorer.settings.pane)) {
        subtitle.textContent = describeView(heat.view);
      }
    },
    onBusy: () => document.body.classList.add('busy'),
    onTrouble: (trouble) => {
      document.body.classList.remove('busy');
      sayPassing(trouble);
    },
    onNotice: say,
    onMatrix: showMatrix,
    onThumbnails: (answer) => {
      showNothing(!answer);
      modelPane.show(answer, explorer.heat?.view ?? null);
    },
    onSummary: (answer) => {
      showNothing(!answer);
      summary = answer;
      summaryPane.show(answer, (line) => editor.lineText(line));
    },
    onCompared: (a, b) => {
      showNothing(!a || !b);
      const { part: of } = explorer.settings;
      comparePane.show(a && draw(a, of), b && draw(b, of));
    },
    onWord: showWord,
    onEdited: () => {
      say(null);
      const example = EXAMPLES.find(({ name }) => name === fileName);
      if (example && editor.text !== example.text) {
        fileName = '';
        examples.value = '';
      }
      address.changed();
    },
  });

  const tabs = new Tabs((pane) => explorer.choose({ pane }));
  const pickers = new LookPickers('', (look) => explorer.choose(look));
  const otherPickers = new LookPickers('other-', (other) => explorer.choose({ other }));
  const style = element('style', HTMLSelectElement);
  const part = element('part', HTMLSelectElement);
  const unit = element('unit', HTMLSelectElement);
  const address = new AddressBar(() => ({ text: editor.text, language, settings: explorer.settings }), say);
  const exports = () => ({
    text: editor.text,
    language,
    heat: explorer.heat,
    drawn,
    compared: explorer.settings.pane === 'compare' ? comparePane.compared : null,
    word: explorer.settings.pane === 'word' ? explorer.word : null,
    summary: explorer.settings.pane === 'summary' ? summary : null,
    pane: explorer.settings.pane,
    maps: modelPane.maps,
    title: fileName === '' ? 'Attention' : `Attention in ${fileName}`,
    subtitle: [explorer.heat?.view.model, subtitle.textContent].filter(Boolean).join(' · '),
    name: `codegaze-${explorer.settings.pane}`,
    style: colors.picture(),
    isDark: colors.isDark,
  });
  new Exports(exports, say);

  style.addEventListener('change', () => {
    const chosen = STYLES.find((name) => name === style.value);
    if (chosen) explorer.choose({ style: chosen });
  });
  part.addEventListener('change', () => explorer.choose({ part: part.value === 'chunk' ? 'chunk' : 'definition' }));
  unit.addEventListener('change', () => explorer.choose({ unit: unit.value === 'subword' ? 'subword' : 'lexeme' }));
  element('swap', HTMLButtonElement).addEventListener('click', () => {
    const { model, method, layers, heads, sinks, other } = explorer.settings;
    const look: Look = { model, method, layers, heads, sinks };
    explorer.choose({ ...other, other: look });
  });

  const languages = element('language', HTMLSelectElement);
  fill(
    languages,
    Object.entries(LANGUAGES).map(([value, { name }]) => ({ value, text: name })),
    language,
  );
  languages.addEventListener('change', () => {
    if (!isLanguage(languages.value)) return;
    language = languages.value;
    editor.setLanguage(language);
    address.changed();
  });

  const examples = element('example', HTMLSelectElement);
  fill(
    examples,
    [{ value: '', text: 'choose…' }, ...EXAMPLES.map(({ name }) => ({ value: name, text: name }))],
    fileName,
  );
  examples.addEventListener('change', () => {
    const example = EXAMPLES.find(({ name }) => name === examples.value);
    if (!example) return;
    ({ language, name: fileName } = example);
    languages.value = language;
    editor.replace(example.text, language);
  });

  const theme = element('theme', HTMLSelectElement);
  theme.value = colors.choice;
  theme.addEventListener('change', () => {
    if (isColorChoice(theme.value)) colors.choose(theme.value);
  });

  element('token-dialog', HTMLDialogElement).addEventListener('close', () => {
    const token = element('token', HTMLInputElement);
    if (token.value !== '') explorer.authorize(token.value);
    token.value = '';
  });

  address.onOpen((opened) => {
    ({ language } = opened);
    fileName = '';
    examples.value = '';
    languages.value = language;
    editor.replace(opened.text, language);
    explorer.choose(opened.settings);
  });
  showSettings(explorer.settings);
  if (trouble !== null) say(trouble);
}

function socketUrl(): string {
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

AddressBar.read().then(
  (shared) => start(shared),
  (error: Error) => start(null, `The link could not be opened: ${error.message}.`),
);
