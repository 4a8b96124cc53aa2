// Pickers of a model and of how to look at it: once for the page, once for what it is compared with.

import { FUSIONS, METHOD_NAMES, METHODS } from '../generated/lists';
import type { Model } from '../generated/live';
import { shortModel } from '../view/words';
import { type Choice, element, fill } from './dom';
import { clean, type Look, suited } from './settings';

const numbered = (count: number | null): Choice[] =>
  Array.from({ length: count ?? 0 }, (_, at) => ({ value: String(at), text: String(at) }));

const LAYERS: readonly Choice[] = [
  { value: 'default', text: 'the method’s own' },
  { value: 'last', text: 'last' },
  { value: 'all', text: 'all' },
];
const HEADS: readonly Choice[] = FUSIONS.map((name) => ({ value: name, text: name }));
const SINKS: readonly Choice[] = [
  { value: 'drop', text: 'left out', title: 'Attention on <s> and </s> is left out, rows are shares of the rest' },
  { value: 'keep', text: 'kept', title: 'Attention on <s> and </s> counts' },
];

function nameOf({ name, id, state }: Model): string {
  const short = shortModel(id ?? name);
  return state === 'loading' ? `${short} (loading)` : short;
}

export class LookPickers {
  private readonly model: HTMLSelectElement;
  private readonly method: HTMLSelectElement;
  private readonly layers: HTMLSelectElement;
  private readonly heads: HTMLSelectElement;
  private readonly sinks: HTMLSelectElement;
  private models: readonly Model[] = [];

  /** `prefix`: of the pickers' ids. */
  constructor(prefix: string, onChoose: (look: Look) => void) {
    const select = (name: string) => element(`${prefix}${name}`, HTMLSelectElement);
    this.model = select('model');
    this.method = select('method');
    this.layers = select('layers');
    this.heads = select('heads');
    this.sinks = select('sinks');
    for (const picker of [this.model, this.layers, this.heads, this.sinks]) {
      picker.addEventListener('change', () => onChoose(this.chosen()));
    }
    this.method.addEventListener('change', () => {
      // Another method has another default of layers.
      this.layers.value = 'default';
      onChoose(this.chosen());
    });
  }

  show(look: Look, models: readonly Model[]): void {
    this.models = models;
    const model = modelOf(look, models);
    const choices = models.map((each) => ({ value: each.name, text: nameOf(each), title: each.name }));
    fill(this.model, choices, model?.name ?? '');
    fill(
      this.method,
      METHOD_NAMES.map((name) => ({ value: name, text: METHODS[name].name, title: METHODS[name].what })),
      look.method,
    );
    fill(this.layers, [...LAYERS, ...numbered(model?.layers ?? null)], String(look.layers));
    fill(this.heads, [...HEADS, ...numbered(model?.heads ?? null)], String(look.heads));
    fill(this.sinks, SINKS, look.sinks);
  }

  private chosen(): Look {
    const number = (text: string) => (/^\d+$/.test(text) ? Number(text) : text);
    const look: Look = clean({
      model: this.model.value,
      method: this.method.value,
      layers: number(this.layers.value),
      heads: number(this.heads.value),
      sinks: this.sinks.value,
    });
    const { model, method, layers, heads, sinks } = look;
    const known = modelOf(look, this.models);
    const chosen = { model, method, layers, heads, sinks };
    return known ? suited(chosen, known) : chosen;
  }
}

/** The model that a look means; the server's first if it has none of that name. */
export function modelOf(look: Look, models: readonly Model[]): Model | undefined {
  return models.find(({ name }) => name === look.model) ?? models[0];
}
