// What a person chose on the page. All of it is in a link.
import { type Fusion, METHOD_NAMES, type MethodName, type Sinks, UNITS, type Unit } from '../generated/lists';
import type { ViewOptions } from '../generated/live';
import { STYLES, type Style } from '../view/heat';

export const PANES = ['matrix', 'heads', 'model', 'word', 'summary', 'compare'] as const;
export type Pane = (typeof PANES)[number];

/** `default`: the method's own. */
export type Layers = 'default' | 'last' | 'all' | number;
export type Heads = Fusion | number;

/** A model and how its attention is looked at. */
export interface Look {
  /** By the name that the server knows; its first one for `null`. */
  model: string | null;
  method: MethodName;
  layers: Layers;
  heads: Heads;
  sinks: Sinks;
}

export interface Settings extends Look {
  style: Style;
  unit: Unit;
  /** The definition at the cursor alone, or the whole chunk. */
  part: 'definition' | 'chunk';
  pane: Pane;
  /** What to compare with. */
  other: Look;
}

const LOOK: Look = { model: null, method: 'received', layers: 'default', heads: 'mean', sinks: 'drop' };

export const INITIAL: Settings = {
  ...LOOK,
  style: 'background',
  unit: 'lexeme',
  part: 'definition',
  pane: 'matrix',
  other: { ...LOOK, method: 'norm' },
};

export function viewOptions({ method, layers, heads, sinks }: Look): ViewOptions {
  return { method, layers: layers === 'default' ? null : layers, heads, sinks };
}

export const sameLook = (a: Look, b: Look): boolean =>
  a.model === b.model && a.method === b.method && a.layers === b.layers && a.heads === b.heads && a.sinks === b.sinks;

type Fields = Record<string, unknown>;

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

function oneOf<T extends string>(value: unknown, all: readonly T[], otherwise: T): T {
  return all.find((each) => each === value) ?? otherwise;
}

function numberOr<T extends string>(value: unknown, all: readonly T[], otherwise: T): T | number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : oneOf(value, all, otherwise);
}

function cleanLook(fields: Fields, otherwise: Look): Look {
  return {
    model: typeof fields.model === 'string' ? fields.model : null,
    method: oneOf(fields.method, METHOD_NAMES, otherwise.method),
    layers: numberOr(fields.layers, ['default', 'last', 'all'], 'default'),
    heads: numberOr(fields.heads, ['mean', 'max'], 'mean'),
    sinks: oneOf(fields.sinks, ['drop', 'keep'], 'drop'),
  };
}

/** Settings out of anything: what is missing or is none is as at first. */
export function clean(value: unknown): Settings {
  const fields = fieldsOf(value);
  return {
    ...cleanLook(fields, INITIAL),
    style: oneOf(fields.style, STYLES, INITIAL.style),
    unit: oneOf(fields.unit, UNITS, INITIAL.unit),
    part: oneOf(fields.part, ['definition', 'chunk'], INITIAL.part),
    pane: oneOf(fields.pane, PANES, INITIAL.pane),
    other: cleanLook(fieldsOf(fields.other), INITIAL.other),
  };
}

/** The look with what the model does not have left at the default. */
export function suited(look: Look, model: { name: string; layers: number | null; heads: number | null }): Look {
  const { layers, heads } = look;
  const has = (index: number, count: number | null) => count === null || index < count;
  return {
    ...look,
    model: model.name,
    layers: typeof layers === 'number' && !has(layers, model.layers) ? 'default' : layers,
    heads: typeof heads === 'number' && !has(heads, model.heads) ? 'mean' : heads,
  };
}
