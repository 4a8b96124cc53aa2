// What the user chose on the page. A link contains all of it.
import { SCALINGS, type Scaling } from '../draw/scaling';
import {
  AGGREGATES,
  type Aggregate,
  DEFAULT_AGGREGATE,
  FUSIONS,
  type Fusion,
  METHOD_NAMES,
  type MethodName,
  SINKS,
  type Sinks,
  UNITS,
  type Unit,
} from '../generated/lists';
import type { Model, View, ViewOptions } from '../generated/live';
import { LEVELS, type Level, STYLES, type Style } from '../view/heat';

export const PANES = ['matrix', 'heads', 'model', 'word', 'summary', 'compare'] as const;
export type Pane = (typeof PANES)[number];

export const PARTS = ['definition', 'chunk'] as const;
export type Part = (typeof PARTS)[number];

const LAYER_WORDS = ['default', 'last', 'all'] as const;
/** `default`: the method's own. */
export type Layers = (typeof LAYER_WORDS)[number] | number;
export type Heads = Fusion | number;

/** A model, and the view of its attention. */
export interface ViewChoice {
  /** The server's name of the model. `null`: the server's first model. */
  model: string | null;
  method: MethodName;
  layers: Layers;
  heads: Heads;
  sinks: Sinks;
  aggregate: Aggregate;
}

export interface Settings extends ViewChoice {
  style: Style;
  /** The lowest level that the editor shows. */
  minLevel: Level;
  unit: Unit;
  /** How a weight of a matrix becomes a color. */
  scaling: Scaling;
  /** Whether matrices show the definition at the cursor or the whole chunk. */
  part: Part;
  pane: Pane;
  /** The view to compare with. */
  other: ViewChoice;
}

const VIEW: ViewChoice = {
  model: null,
  method: 'received',
  layers: 'default',
  heads: 'mean',
  sinks: 'drop',
  aggregate: DEFAULT_AGGREGATE,
};

export const INITIAL: Settings = {
  ...VIEW,
  style: 'background',
  // Level 1 begins at the median, so it would color half of all words.
  minLevel: 2,
  unit: 'lexeme',
  scaling: 'clipped',
  part: 'definition',
  pane: 'matrix',
  other: { ...VIEW, method: 'norm' },
};

export function viewOptions({ method, layers, heads, sinks, aggregate }: ViewChoice): ViewOptions {
  return { method, layers: layers === 'default' ? null : layers, heads, sinks, aggregate };
}

export const sameView = (a: ViewChoice, b: ViewChoice): boolean =>
  a.model === b.model &&
  a.method === b.method &&
  a.layers === b.layers &&
  a.heads === b.heads &&
  a.sinks === b.sinks &&
  a.aggregate === b.aggregate;

/** Whether an answer with `view` can belong to `choice`. Which layers `last` means depends on the model, so they are not compared. */
export function isViewOf(view: View, { method, layers, heads, sinks, aggregate }: ViewChoice): boolean {
  const isOnly = (list: View['heads'], index: number) => list.length === 1 && list[0] === index;
  return (
    view.method === method &&
    view.sinks === sinks &&
    view.aggregate === aggregate &&
    (typeof layers !== 'number' || isOnly(view.layers, layers)) &&
    (typeof heads === 'number' ? isOnly(view.heads, heads) : view.heads === heads)
  );
}

type Fields = Record<string, unknown>;

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

function oneOf<T>(value: unknown, all: readonly T[], otherwise: T): T {
  return all.find((each) => each === value) ?? otherwise;
}

function numberOr<T extends string>(value: unknown, all: readonly T[], otherwise: T): T | number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : oneOf(value, all, otherwise);
}

function cleanView(fields: Fields, otherwise: ViewChoice): ViewChoice {
  return {
    model: typeof fields.model === 'string' ? fields.model : null,
    method: oneOf(fields.method, METHOD_NAMES, otherwise.method),
    layers: numberOr(fields.layers, LAYER_WORDS, 'default'),
    heads: numberOr(fields.heads, FUSIONS, 'mean'),
    sinks: oneOf(fields.sinks, SINKS, 'drop'),
    aggregate: oneOf(fields.aggregate, AGGREGATES, otherwise.aggregate),
  };
}

/** Settings from any value. Missing and invalid fields get their initial values. */
export function clean(value: unknown): Settings {
  const fields = fieldsOf(value);
  return {
    ...cleanView(fields, INITIAL),
    style: oneOf(fields.style, STYLES, INITIAL.style),
    minLevel: oneOf(fields.minLevel, LEVELS, INITIAL.minLevel),
    unit: oneOf(fields.unit, UNITS, INITIAL.unit),
    scaling: oneOf(fields.scaling, SCALINGS, INITIAL.scaling),
    part: oneOf(fields.part, PARTS, INITIAL.part),
    pane: oneOf(fields.pane, PANES, INITIAL.pane),
    other: cleanView(fieldsOf(fields.other), INITIAL.other),
  };
}

/** The choice for `model`: layers and heads that the model does not have become the default. */
export function supported(choice: ViewChoice, model: Pick<Model, 'name' | 'layers' | 'heads'>): ViewChoice {
  const { method, layers, heads, sinks, aggregate } = choice;
  const has = (index: number, count: number | null) => count === null || index < count;
  return {
    model: model.name,
    method,
    layers: typeof layers === 'number' && !has(layers, model.layers) ? 'default' : layers,
    heads: typeof heads === 'number' && !has(heads, model.heads) ? 'mean' : heads,
    sinks,
    aggregate,
  };
}
