// How the server's state and the heat are described to the user.
import { duration, shortModel } from '../../../web/src/view/words';
import type { Style } from './names';
import type { Status } from './protocol';

/** What the heat means. High-contrast themes have frames instead of backgrounds. */
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
      const icon = isMissing ? '$(cloud-download)' : isShown ? '$(eye)' : '$(eye-closed)';
      if (document && document.percent !== null) return `$(sync~spin) ${model} · ${document.percent} %`;
      const time = document?.analysisMs ?? null;
      return `${icon} ${model}${time === null ? '' : ` · ${duration(time)}`}`;
    }
  }
}
