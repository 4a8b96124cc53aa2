// What a bug report needs: versions, model, settings that differ from their defaults.
import * as vscode from 'vscode';
import { SERVER_COMMANDS } from './protocol';
import type { Session } from './session';
import { SECTION } from './settings';

interface Info {
  version: string;
  model: Record<string, unknown>;
  engine: Record<string, unknown>;
  timings: Record<string, unknown> | null;
  positionEncoding: string;
}

function changedSettings(extension: vscode.Extension<unknown>): Record<string, unknown> {
  const configuration = vscode.workspace.getConfiguration(SECTION, null);
  const groups = extension.packageJSON.contributes.configuration as { properties: Record<string, unknown> }[];
  const keys = groups.flatMap(({ properties }) => Object.keys(properties)).map((key) => key.slice(SECTION.length + 1));
  const changed: Record<string, unknown> = {};
  for (const key of keys) {
    const value = configuration.get(key);
    if (JSON.stringify(value) !== JSON.stringify(configuration.inspect(key)?.defaultValue)) changed[key] = value;
  }
  return changed;
}

/** Opens a Markdown document that the user completes and pastes into a report. Nothing is sent. */
export async function report(session: Session, extension: vscode.Extension<unknown>): Promise<void> {
  const info = await session.execute<Info>(SERVER_COMMANDS.info).catch(() => null);
  const json = (value: unknown) => `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
  const { program } = session;
  const text = [
    '# Codegaze: report',
    'What happened, and what did you expect?\n\n\n',
    '## Versions',
    [
      `- extension ${extension.packageJSON.version}`,
      `- server ${info?.version ?? session.version ?? 'not running'}${program ? `, ${program.path} (${program.origin})` : ''}`,
      `- ${vscode.env.appName} ${vscode.version}, ${vscode.env.remoteName ?? 'local'}, ${process.platform} ${process.arch}, Node ${process.versions.node}`,
    ].join('\n'),
    '## Settings that are not the default',
    json(changedSettings(extension)),
    ...(info
      ? [
          '## Server',
          json({
            model: info.model,
            engine: info.engine,
            timings: info.timings,
            positionEncoding: info.positionEncoding,
          }),
        ]
      : []),
    'The paths above may contain your name: check them before you send the report. "Codegaze: Show Log" shows the log.',
  ].join('\n\n');
  const document = await vscode.workspace.openTextDocument({ language: 'markdown', content: `${text}\n` });
  await vscode.window.showTextDocument(document);
}
