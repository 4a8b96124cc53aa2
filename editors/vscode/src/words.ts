// How the server's state is said to a person.
import { duration, shortModel } from '../../../web/src/view/words';
import type { Status } from './protocol';

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
