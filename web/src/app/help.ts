// A help button beside each picker. It opens a text that links to the section of docs/ATTRIBUTION.md with the definition.
import { AGGREGATE_TEXTS, AGGREGATES, METHOD_NAMES, METHODS } from '../generated/lists';
import { element, make } from './dom';

/** The server has docs/ATTRIBUTION.md at this path. */
const PAGE = '/ATTRIBUTION.md';

interface Help {
  text: string;
  /** The heading in docs/ATTRIBUTION.md, if there is one. */
  section?: string;
}

const methods = METHOD_NAMES.map((name) => `${METHODS[name].name}: ${METHODS[name].what.toLowerCase()}.`).join(' ');

const aggregates = AGGREGATES.map((name) => `${name}: ${AGGREGATE_TEXTS[name].toLowerCase()}.`).join(' ');

/** By the picker's id. */
export const HELP: Record<string, Help> = {
  model: {
    text: 'The model that reads the text. Its attention is what the page shows.',
    section: 'From attention to scores',
  },
  method: { text: `How attention becomes one score for each word. ${methods}`, section: '2. Score subwords' },
  layers: {
    text: 'The layers whose attention counts. “default” is the last layer, and all layers for rollout, alti and globenc. Layers count from 0.',
    section: '1. Fuse heads and layers',
  },
  heads: {
    text: 'The attention heads that count: their mean, their maximum, or one head. Heads count from 0.',
    section: '1. Fuse heads and layers',
  },
  sinks: {
    text: 'Models rest about half of their attention on the special subwords <s> and </s>. “left out” drops this part, so that rows are shares of the rest; “kept” counts it.',
    section: '3. Sinks',
  },
  aggregate: {
    text: `The model reads a long name as several subwords. This is how their scores become the one score of the name. ${aggregates}`,
    section: '4. From subwords to lexemes',
  },
  style: {
    text: 'How the editor shows heat. A word’s level follows from its lift: its score divided by the mean score of the words in its chunk.',
    section: '5. Levels',
  },
  'min-level': {
    text: 'The editor shows words from this level on. Level 1 begins at the median of all words.',
    section: '5. Levels',
  },
  language: {
    text: 'The language of the text. It decides the colors of the syntax and what counts as a definition. The model reads only the text.',
  },
  part: {
    text: 'The matrix of the definition at the cursor, or of the whole chunk: the part of the text that the model reads at once.',
    section: '4. From subwords to lexemes',
  },
  unit: {
    text: 'Rows and columns are words of the source, or the subwords that the model reads.',
    section: '4. From subwords to lexemes',
  },
  scaling: {
    text: 'How a weight becomes a color. “clipped” ends the colors at a high quantile, “full range” at the greatest weight; “logarithmic” shows small weights; “per row” compares the weights of one row.',
    section: '4. From subwords to lexemes',
  },
};

const PREFIX = 'other-';

/** Adds a help button to every picker that has a help text. */
export class HelpButtons {
  private readonly box = element('help', HTMLElement);
  private opener: HTMLButtonElement | null = null;

  constructor() {
    for (const picker of document.querySelectorAll<HTMLSelectElement>('label > select')) {
      const help = HELP[picker.id.replace(PREFIX, '')];
      const label = picker.parentElement;
      if (!help || !label) continue;
      const button = make('button', '?', 'help');
      button.type = 'button';
      const name = label.textContent.replace(picker.textContent, '').trim();
      button.setAttribute('aria-label', `Help: ${picker.id.startsWith(PREFIX) ? 'B’s ' : ''}${name}`);
      button.setAttribute('aria-expanded', 'false');
      button.setAttribute('aria-controls', this.box.id);
      button.addEventListener('click', () => (this.opener === button ? this.close() : this.open(button, help)));
      const group = make('span', '', 'picker');
      label.replaceWith(group);
      group.append(label, button);
      picker.title = help.text;
    }
    document.addEventListener('keydown', ({ key }) => {
      if (key !== 'Escape' || !this.opener) return;
      const { opener } = this;
      this.close();
      opener.focus();
    });
    document.addEventListener('pointerdown', ({ target }) => {
      const isInside = target instanceof Node && (this.box.contains(target) || this.opener?.contains(target));
      if (!isInside) this.close();
    });
  }

  private open(button: HTMLButtonElement, { text, section }: Help): void {
    this.close();
    this.box.replaceChildren(make('p', text));
    if (section !== undefined) this.box.append(make('p', ['More: ', this.linkTo(section)]));
    this.box.hidden = false;
    // After the button in the document, so that Tab leads from the button to the link.
    button.after(this.box);
    const { left, top, bottom } = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.box;
    const room = document.documentElement.clientWidth - width - 8;
    this.box.style.left = `${Math.max(8, Math.min(left, room))}px`;
    const isBelow = bottom + 6 + height <= window.innerHeight;
    this.box.style.top = `${isBelow ? bottom + 6 : Math.max(8, top - 6 - height)}px`;
    button.setAttribute('aria-expanded', 'true');
    this.opener = button;
  }

  private linkTo(section: string): HTMLAnchorElement {
    const link = make('a', `docs/ATTRIBUTION.md, “${section}”`);
    // A text fragment scrolls to the section, because the file is plain text.
    link.href = `${PAGE}#:~:text=${encodeURIComponent(section)}`;
    link.target = '_blank';
    link.rel = 'noopener';
    link.addEventListener('click', () => this.close());
    return link;
  }

  private close(): void {
    this.box.hidden = true;
    this.opener?.setAttribute('aria-expanded', 'false');
    this.opener = null;
  }
}
