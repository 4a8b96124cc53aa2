// Connects the parts of the page.
import { Colors, isColorChoice } from './app/colors';
import { element, fill, make } from './app/dom';
import { Explorer } from './app/explorer';
import { HelpButtons } from './app/help';
import { modelOf, ViewPickers } from './app/pickers';
import { INITIAL, type Pane, type Settings, type ViewChoice } from './app/settings';
import { StatusLine } from './app/statusLine';
import { Tabs } from './app/tabs';
import { visible } from './draw/labels';
import { drawScale } from './draw/legend';
import { percent } from './draw/matrix';
import { SCALING_TEXTS, SCALINGS } from './draw/scaling';
import { Editor } from './editor/editor';
import type { Outline } from './editor/heat';
import { isLanguage, LANGUAGES, type LanguageId } from './editor/languages';
import { EXAMPLES } from './examples';
import { Exports } from './export/exports';
import type { MatrixResult, Range, RelationsResult, SummaryResult } from './generated/live';
import { inWords } from './panes/bars';
import { ComparePane } from './panes/comparePane';
import { type Drawn, describeLines, draw, indexAt } from './panes/drawn';
import { HeadsPane } from './panes/headsPane';
import { MatrixPane } from './panes/matrixPane';
import { ModelPane } from './panes/modelPane';
import { SummaryPane } from './panes/summaryPane';
import { times, WordPane } from './panes/wordPane';
import { AddressBar } from './share/addressBar';
import type { Shared } from './share/link';
import { Session } from './share/session';
import { LEVELS, STYLES, type Style } from './view/heat';
import { describeView, shortAggregate } from './view/words';

const STYLE_NAMES: Record<Style, string> = {
  background: 'backgrounds',
  underline: 'underlines',
  spotlight: 'spotlight',
  off: 'off',
};

/** Panes that show the heat's view, and not the view of a question. */
const isOfText = (pane: Pane) => pane === 'word' || pane === 'summary';

/** `trouble`: a message to show at once. */
function start(shared: Shared | null, trouble: string | null = null): void {
  const first = EXAMPLES[0];
  let language: LanguageId = shared?.language ?? first?.language ?? 'text';
  let fileName = EXAMPLES.find(({ text }) => text === (shared?.text ?? first?.text))?.name ?? '';
  let drawn: Drawn | null = null;
  let matrix: MatrixResult | null = null;
  let summary: SummaryResult | null = null;
  /** Whether the server has refused a token. */
  let hasToken = false;

  const colors = new Colors();
  const status = new StatusLine();
  const nothing = element('nothing', HTMLElement);
  const notice = element('notice', HTMLElement);
  const subtitle = element('subtitle', HTMLElement);

  /** Whether the next heat removes the notice. Otherwise it stays until the user does something. */
  let isPassing = false;
  const showNotice = (text: string | null) => {
    isPassing = false;
    notice.textContent = text ?? '';
    notice.hidden = text === null;
  };
  const showPassingNotice = (text: string | null) => {
    if (text === null && !isPassing) return;
    showNotice(text);
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
    const isPointed = query !== null || key !== null;
    // The places of an earlier text's words are wrong.
    explorer.outline(isPointed && !document.body.classList.contains('stale') ? outlines : null);
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

  /** Marks the word at the cursor in the matrix and in the head view. */
  function markCursor(): void {
    const index = drawn && indexAt(drawn, editor.cursor);
    matrixPane.mark(index);
    headsPane.mark(index);
  }

  function showNothing(isNothing: boolean): void {
    document.body.classList.remove('busy');
    nothing.textContent = isNothing ? 'The text has nothing but whitespace. Type some code.' : '';
  }

  function showMatrix(answer: MatrixResult | null): void {
    matrix = answer;
    showNothing(!answer);
    drawn = answer && draw(answer, explorer.settings.part);
    const what = answer ? describe(answer) : '';
    subtitle.textContent = what;
    if (explorer.settings.pane === 'heads') headsPane.show(drawn, what);
    else matrixPane.show(drawn, what, explorer.settings.scaling);
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
    const { part, ...choice } = explorer.settings;
    const maxTokens = modelOf(choice, explorer.models)?.max_tokens ?? null;
    return `${describeLines(draw(answer, part), part, maxTokens)} · ${describeView(answer.view)}`;
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
    line.replaceChildren(make('b', visible(lexeme.text)), ` lift ${times(lexeme.lift)}, rank ${lexeme.rank}${to}`);
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
    fill(
      minLevel,
      LEVELS.map((level) => ({ value: String(level), text: String(level) })),
      String(settings.minLevel),
    );
    for (const level of LEVELS) {
      for (const item of document.querySelectorAll<HTMLElement>(`#legend .heat-${level}`)) {
        item.hidden = level < settings.minLevel;
      }
    }
    element('legend-note', HTMLElement).textContent = shortAggregate(settings.aggregate);
    fill(
      scaling,
      SCALINGS.map((name) => ({ value: name, text: SCALING_TEXTS[name].name, title: SCALING_TEXTS[name].what })),
      settings.scaling,
    );
    part.value = settings.part;
    unit.value = settings.unit;
    const { pane } = settings;
    const isMatrix = pane === 'matrix' || pane === 'compare';
    element('axes', HTMLElement).hidden = !isMatrix && pane !== 'heads';
    for (const [picker, isUsed] of [
      [unit, pane !== 'compare'],
      [scaling, isMatrix],
    ] as const) {
      const group = picker.closest<HTMLElement>('.picker');
      if (group) group.hidden = !isUsed;
    }
    // The subtitle describes what the pane shows.
    if (settings.pane === 'matrix' || settings.pane === 'heads') subtitle.textContent = matrix ? describe(matrix) : '';
    else subtitle.textContent = isOfText(settings.pane) && explorer.heat ? describeView(explorer.heat.view) : '';
    session.changed();
    address.changed();
  }

  const explorer: Explorer = new Explorer(shared?.settings ?? INITIAL, editor, language, socketUrl(), {
    onModels: () => showSettings(explorer.settings),
    onSettings: showSettings,
    onLink: (link) => {
      status.showLink(link);
      if (link !== 'unauthorized') return;
      const refusal = hasToken ? 'The server refused this token. Check it and try again.' : '';
      element('token-trouble', HTMLElement).textContent = refusal;
      element('token-dialog', HTMLDialogElement).showModal();
    },
    onLoading: (model) => status.showLoading(model),
    onHeat: (heat) => {
      if (heat.data.length > 0) nothing.textContent = '';
      status.showHeat(heat);
      if (isOfText(explorer.settings.pane)) {
        subtitle.textContent = describeView(heat.view);
      }
    },
    onBusy: () => document.body.classList.add('busy'),
    onCurrent: ({ pane, word }) => {
      document.body.classList.toggle('stale', !pane);
      element('word-line', HTMLElement).classList.toggle('stale', !word);
    },
    onTrouble: (trouble) => {
      document.body.classList.remove('busy');
      showPassingNotice(trouble);
    },
    onNotice: showNotice,
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
      const { part: drawnPart, scaling: drawnScaling } = explorer.settings;
      comparePane.show(a && draw(a, drawnPart), b && draw(b, drawnPart), drawnScaling);
    },
    onWord: showWord,
    onEdited: () => {
      showNotice(null);
      const example = EXAMPLES.find(({ name }) => name === fileName);
      if (example && editor.text !== example.text) {
        fileName = '';
        examples.value = '';
      }
      session.changed();
      address.changed();
    },
  });

  const tabs = new Tabs((pane) => explorer.choose({ pane }));
  const pickers = new ViewPickers('', (choice) => explorer.choose(choice));
  const otherPickers = new ViewPickers('other-', (other) => explorer.choose({ other }));
  const style = element('style', HTMLSelectElement);
  const part = element('part', HTMLSelectElement);
  const unit = element('unit', HTMLSelectElement);
  const minLevel = element('min-level', HTMLSelectElement);
  const scaling = element('scaling', HTMLSelectElement);
  const state = (): Shared => ({ text: editor.text, language, settings: explorer.settings });
  const address = new AddressBar(state, showNotice);
  const session = new Session(state);
  drawScale(element('maps-scale', HTMLCanvasElement));
  const exports = () => ({
    text: editor.text,
    language,
    heat: explorer.heat,
    drawn: explorer.settings.pane === 'matrix' || explorer.settings.pane === 'heads' ? drawn : null,
    compared: explorer.settings.pane === 'compare' ? comparePane.compared : null,
    word: explorer.settings.pane === 'word' ? explorer.word : null,
    summary: explorer.settings.pane === 'summary' ? summary : null,
    pane: explorer.settings.pane,
    maps: explorer.settings.pane === 'model' ? modelPane.maps : null,
    tables: { word: wordPane.tables, summary: summaryPane.tables }[explorer.settings.pane as 'word' | 'summary'] ?? [],
    scaling: explorer.settings.scaling,
    minLevel: explorer.settings.minLevel,
    spans: explorer.shownSpans,
    title: fileName === '' ? 'Attention' : `Attention in ${fileName}`,
    subtitle: [
      explorer.heat?.view.model,
      subtitle.textContent,
      inWords({ word: wordPane.facts, summary: summaryPane.facts }[explorer.settings.pane as 'word' | 'summary'] ?? []),
    ]
      .filter(Boolean)
      .join(' · '),
    name: `codegaze-${explorer.settings.pane}`,
    style: colors.picture(),
    isDark: colors.isDark,
  });
  new Exports(
    exports,
    (timeoutMs) => explorer.whenCurrent(timeoutMs),
    () => explorer.allWords(),
    showNotice,
  );

  style.addEventListener('change', () => {
    const chosen = STYLES.find((name) => name === style.value);
    if (chosen) explorer.choose({ style: chosen });
  });
  minLevel.addEventListener('change', () => {
    const chosen = LEVELS.find((level) => String(level) === minLevel.value);
    if (chosen) explorer.choose({ minLevel: chosen });
  });
  scaling.addEventListener('change', () => {
    const chosen = SCALINGS.find((name) => name === scaling.value);
    if (chosen) explorer.choose({ scaling: chosen });
  });
  part.addEventListener('change', () => explorer.choose({ part: part.value === 'chunk' ? 'chunk' : 'definition' }));
  unit.addEventListener('change', () => explorer.choose({ unit: unit.value === 'subword' ? 'subword' : 'lexeme' }));
  element('swap', HTMLButtonElement).addEventListener('click', () => {
    const { model, method, layers, heads, sinks, aggregate, other } = explorer.settings;
    const choice: ViewChoice = { model, method, layers, heads, sinks, aggregate };
    explorer.choose({ ...other, other: choice });
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
    explorer.setLanguage(language);
    session.changed();
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
    explorer.setLanguage(language);
    editor.replace(example.text, language);
  });

  const theme = element('theme', HTMLSelectElement);
  theme.value = colors.choice;
  theme.addEventListener('change', () => {
    if (isColorChoice(theme.value)) colors.choose(theme.value);
  });

  element('token-dialog', HTMLDialogElement).addEventListener('close', () => {
    const token = element('token', HTMLInputElement);
    if (token.value !== '') {
      hasToken = true;
      explorer.authorize(token.value);
    }
    token.value = '';
  });

  address.onOpen((opened) => {
    ({ language } = opened);
    fileName = '';
    examples.value = '';
    languages.value = language;
    explorer.setLanguage(language);
    editor.replace(opened.text, language);
    explorer.choose(opened.settings);
  });
  // The fragment of a link would replace a share link in the address.
  document.querySelector('.skip')?.addEventListener('click', (event) => {
    event.preventDefault();
    element('panes', HTMLElement).focus();
  });
  new HelpButtons();
  showSettings(explorer.settings);
  if (trouble !== null) showNotice(trouble);
}

function socketUrl(): string {
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

AddressBar.read().then(
  (shared) => start(shared ?? Session.read()),
  (error: Error) => start(Session.read(), `The link could not be opened: ${error.message}.`),
);
