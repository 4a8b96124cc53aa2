// Pickers of a model and a view: once for the page, once for the comparison.

import { AGGREGATE_TEXTS, AGGREGATES, FUSIONS, METHOD_NAMES, METHODS, SINKS, type Sinks } from '../generated/lists';
import type { Model } from '../generated/live';
import { shortModel } from '../view/words';
import { type Choice, element, fill } from './dom';
import { clean, supported, type ViewChoice } from './settings';

const numbered = (count: number | null): Choice[] =>
  Array.from({ length: count ?? 0 }, (_, at) => ({ value: String(at), text: String(at) }));

const LAYERS: readonly Choice[] = [
  { value: 'default', text: 'default' },
  { value: 'last', text: 'last' },
  { value: 'all', text: 'all' },
];
const HEADS: readonly Choice[] = FUSIONS.map((name) => ({ value: name, text: name }));
const SINK_TEXTS: Record<Sinks, string> = { drop: 'left out', keep: 'kept' };

function nameOf({ name, id, state }: Model): string {
  const short = shortModel(id ?? name);
  return state === 'loading' ? `${short} (loading)` : short;
}

export class ViewPickers {
  private readonly model: HTMLSelectElement;
  private readonly method: HTMLSelectElement;
  private readonly layers: HTMLSelectElement;
  private readonly heads: HTMLSelectElement;
  private readonly sinks: HTMLSelectElement;
  private readonly aggregate: HTMLSelectElement;
  private models: readonly Model[] = [];

  /** `prefix`: of the pickers' ids. */
  constructor(prefix: string, onChoose: (choice: ViewChoice) => void) {
    const select = (name: string) => element(`${prefix}${name}`, HTMLSelectElement);
    this.model = select('model');
    this.method = select('method');
    this.layers = select('layers');
    this.heads = select('heads');
    this.sinks = select('sinks');
    this.aggregate = select('aggregate');
    for (const picker of [this.model, this.layers, this.heads, this.sinks, this.aggregate]) {
      picker.addEventListener('change', () => onChoose(this.chosen()));
    }
    this.method.addEventListener('change', () => {
      // Methods differ in their default layers.
      this.layers.value = 'default';
      onChoose(this.chosen());
    });
  }

  show(choice: ViewChoice, models: readonly Model[]): void {
    this.models = models;
    const model = modelOf(choice, models);
    const choices = models.map((each) => ({ value: each.name, text: nameOf(each), title: each.name }));
    fill(this.model, choices, model?.name ?? '');
    fill(
      this.method,
      METHOD_NAMES.map((name) => ({ value: name, text: METHODS[name].name, title: METHODS[name].what })),
      choice.method,
    );
    fill(this.layers, [...LAYERS, ...numbered(model?.layers ?? null)], String(choice.layers));
    fill(this.heads, [...HEADS, ...numbered(model?.heads ?? null)], String(choice.heads));
    fill(
      this.sinks,
      SINKS.map((name) => ({ value: name, text: SINK_TEXTS[name] })),
      choice.sinks,
    );
    fill(
      this.aggregate,
      AGGREGATES.map((name) => ({ value: name, text: name, title: AGGREGATE_TEXTS[name] })),
      choice.aggregate,
    );
  }

  private chosen(): ViewChoice {
    const number = (text: string) => (/^\d+$/.test(text) ? Number(text) : text);
    const { model, method, layers, heads, sinks, aggregate } = clean({
      model: this.model.value,
      method: this.method.value,
      layers: number(this.layers.value),
      heads: number(this.heads.value),
      sinks: this.sinks.value,
      aggregate: this.aggregate.value,
    });
    const choice = { model, method, layers, heads, sinks, aggregate };
    const known = modelOf(choice, this.models);
    return known ? supported(choice, known) : choice;
  }
}

/** The model of a choice; the server's first model if the server has no model of that name. */
export function modelOf({ model }: ViewChoice, models: readonly Model[]): Model | undefined {
  return models.find(({ name }) => name === model) ?? models[0];
}
