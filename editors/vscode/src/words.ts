// How the server's state and the heat are said to a person.
import { duration, shortModel } from '../../../web/src/view/words';
import type { Style } from './names';
import type { Status } from './protocol';

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
