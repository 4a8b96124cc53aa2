// How models, views and times are said to a person.
import type { Style } from './names';
import type { MethodName, Status, View } from './protocol';

export const METHODS: Record<MethodName, { name: string; what: string }> = {
  received: { name: 'Attention received', what: 'What a word receives from all others, on average' },
  cls: { name: 'Attention from <s>', what: 'What the start of the sequence attends to' },
  rollout: { name: 'Rollout', what: 'Attention followed through all layers' },
  norm: { name: 'Norm-weighted', what: 'Attention weighted by the norm of what it carries' },
};

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

/** What the heat says. Contrast themes have frames in place of backgrounds. */
export function legend(style: Style, isHighContrast: boolean): string {
  const how: Record<Exclude<Style, 'off'>, string> = {
    background: isHighContrast ? 'The more solid the frame of a word' : 'The bluer a word',
    underline: 'The heavier the line under a word',
    spotlight: 'The brighter a word',
  };
  return style === 'off'
    ? 'Heat is off: choose a style to see it.'
    : `${how[style]}, the more the model attends to it.`;
}

export function duration(ms: number): string {
  if (ms < 1) return '<1 ms';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** The text in the status bar, with VS Code's icons. */
export function statusText(status: Status | null, isShown: boolean): string {
  if (status === null) return '$(eye-closed) Codegaze: no server';
  const model = status.model === null ? 'Codegaze' : shortModel(status.model);
  switch (status.state) {
    case 'loading':
      return `$(loading~spin) ${model}: loading`;
    case 'downloading':
      return `$(cloud-download) ${model}: download${status.percent === null ? '' : ` ${status.percent} %`}`;
    case 'error':
      return `$(warning) ${model}`;
    case 'ready': {
      const icon = isShown ? '$(eye)' : '$(eye-closed)';
      return `${icon} ${model}${status.analysisMs === null ? '' : ` · ${duration(status.analysisMs)}`}`;
    }
  }
}
