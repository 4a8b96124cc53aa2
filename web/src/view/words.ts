// Models, views and times as text.
import { AGGREGATE_TEXTS, type Aggregate, METHODS } from '../generated/lists';
import type { View } from '../generated/live';

/** `microsoft/codebert-base` → `codebert-base`, `/models/mine` → `mine`. */
export function shortModel(model: string): string {
  return model.split(/[\\/]/).filter(Boolean).at(-1) ?? model;
}

function numbers(list: readonly number[]): string {
  const first = list[0];
  const last = list.at(-1);
  if (first === undefined || last === undefined) return 'none';
  if (list.length === 1) return String(first);
  const isRun = list.every((value, at) => value === first + at);
  return isRun ? `${first}–${last}` : list.join(', ');
}

export function describeView(view: View): string {
  const layers = `${view.layers.length === 1 ? 'layer' : 'layers'} ${numbers(view.layers)}`;
  const heads =
    typeof view.heads === 'string'
      ? `${view.heads} of heads`
      : `${view.heads.length === 1 ? 'head' : 'heads'} ${numbers(view.heads)}`;
  return `${METHODS[view.method].name.toLowerCase()}, ${layers}, ${heads}`;
}

/** How scores of subwords became one, in a few words: `corrected for length`. */
export function shortAggregate(aggregate: Aggregate): string {
  const [text = ''] = AGGREGATE_TEXTS[aggregate].split(/[;:]/);
  return text.charAt(0).toLowerCase() + text.slice(1);
}

export function duration(ms: number): string {
  if (ms < 1) return '<1 ms';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
