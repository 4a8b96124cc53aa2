// The choices of the panel's pickers, in the user's language.
import * as vscode from 'vscode';
import { SCALING_TEXTS, SCALINGS } from '../../../../web/src/draw/scaling';
import { AGGREGATE_TEXTS, AGGREGATES, METHODS } from '../../../../web/src/generated/lists';
import type { ModelResult, View } from '../protocol';
import { translated } from '../words';
import type { Choice, Control, Controls } from './messages';

const numbered = (count: number): Choice[] =>
  Array.from({ length: count }, (_, at) => ({ value: String(at), text: String(at) }));

/** Several layers or heads, chosen in the settings, are a choice of their own. */
const SOME = 'some';

function layers({ layers: drawn }: View, model: ModelResult): Control {
  const isAll = drawn.length === model.layers && model.layers > 1;
  const value = drawn.length === 1 ? String(drawn[0]) : isAll ? 'all' : SOME;
  const some = value === SOME ? [{ value, text: drawn.join(', ') }] : [];
  return { value, choices: [{ value: 'all', text: vscode.l10n.t('all') }, ...some, ...numbered(model.layers)] };
}

function heads({ heads: drawn }: View, model: ModelResult): Control {
  const value = typeof drawn === 'string' ? drawn : drawn.length === 1 ? String(drawn[0]) : SOME;
  const some = value === SOME ? [{ value, text: String(drawn) }] : [];
  return {
    value,
    choices: [
      { value: 'mean', text: vscode.l10n.t('mean') },
      { value: 'max', text: vscode.l10n.t('max') },
      ...some,
      ...numbered(model.heads),
    ],
  };
}

/** The pickers of a matrix: what there is to choose, and what is drawn. */
export function controls(view: View, model: ModelResult): Controls {
  const methods = model.methods.map((value) => ({
    value,
    text: translated(METHODS[value].name),
    title: translated(METHODS[value].what),
  }));
  const aggregates = AGGREGATES.map((value) => ({ value, text: value, title: translated(AGGREGATE_TEXTS[value]) }));
  return {
    method: { value: view.method, choices: methods },
    layer: layers(view, model),
    head: heads(view, model),
    aggregate: { value: view.aggregate, choices: aggregates },
  };
}

/** How weights can become colors. */
export const scalings = (): Choice[] =>
  SCALINGS.map((value) => ({
    value,
    text: translated(SCALING_TEXTS[value].name),
    title: translated(SCALING_TEXTS[value].what),
  }));
