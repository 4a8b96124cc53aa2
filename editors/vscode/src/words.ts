// How the server's state and the heat are described to the user.
import * as vscode from 'vscode';
import { AGGREGATE_TEXTS, type Aggregate } from '../../../web/src/generated/lists';
import { duration, shortModel } from '../../../web/src/view/words';
import type { Style } from './names';
import type { Status } from './protocol';

/** The texts of methods and the like are translated by their English text: `npm run l10n` collects them from the generated lists. */
export const translated = (text: string): string => vscode.l10n.t(text);

/** `corrected for length`, in the user's language. */
export function aggregateWords(aggregate: Aggregate): string {
  const [text = ''] = translated(AGGREGATE_TEXTS[aggregate]).split(/[;:]/);
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** What the heat means. High-contrast themes have frames instead of backgrounds. */
export function legend(style: Style, isHighContrast: boolean, aggregate: Aggregate | null): string {
  const sentence = meaning(style, isHighContrast);
  return style === 'off' || aggregate === null ? sentence : `${sentence} ${ofSubwords(aggregate)}`;
}

/** How the scores of subwords became one, as a sentence. */
export const ofSubwords = (aggregate: Aggregate): string =>
  vscode.l10n.t('A word of several subwords: {0}.', aggregateWords(aggregate));

/** What a stronger color means, as a sentence. */
export function meaning(style: Style, isHighContrast: boolean): string {
  switch (style) {
    case 'background':
      return isHighContrast
        ? vscode.l10n.t('The more solid the frame of a word, the more the model attends to it.')
        : vscode.l10n.t('The bluer a word, the more the model attends to it.');
    case 'underline':
      return vscode.l10n.t('The heavier the line under a word, the more the model attends to it.');
    case 'spotlight':
      return vscode.l10n.t('The brighter a word, the more the model attends to it.');
    case 'off':
      return vscode.l10n.t('Heat is off: choose a style to see it.');
  }
}

/** What is known of one document. */
export interface DocumentState {
  /** The time of its latest analysis. */
  analysisMs: number | null;
  /** How much of it is analyzed; `null` if all is. */
  percent: number | null;
}

/** Whether the model of the settings is a hub model that is not on this machine, so that another one is used. */
export function isModelMissing(status: Status, wanted: string): boolean {
  const isHubModel = /^[\w.-]+\/[\w.-]+$/.test(wanted);
  return status.state === 'ready' && status.message !== null && isHubModel && status.model !== wanted;
}

/** The text in the status bar, with VS Code's icons. `document`: of the current editor. */
export function statusText(
  status: Status | null,
  isShown: boolean,
  document: DocumentState | undefined,
  isMissing: boolean,
): string {
  if (status === null) return `$(eye-closed) ${vscode.l10n.t('Codegaze: no server')}`;
  const model = status.model === null ? 'Codegaze' : shortModel(status.model);
  switch (status.state) {
    case 'loading':
      return `$(loading~spin) ${vscode.l10n.t('{0}: loading', model)}`;
    case 'downloading':
      return `$(cloud-download) ${
        status.percent === null
          ? vscode.l10n.t('{0}: download', model)
          : vscode.l10n.t('{0}: download {1} %', model, status.percent)
      }`;
    case 'error':
      return `$(warning) ${model}`;
    case 'ready': {
      const icon = isMissing ? '$(cloud-download)' : isShown ? '$(eye)' : '$(eye-closed)';
      if (document && document.percent !== null) return `$(sync~spin) ${model} · ${document.percent} %`;
      const time = document?.analysisMs ?? null;
      return `${icon} ${model}${time === null ? '' : ` · ${duration(time)}`}`;
    }
  }
}
