// Said once: what the blue is, and that the model is the small one.
import * as vscode from 'vscode';
import { COMMANDS } from './names';
import { useModel } from './picks';
import type { Session } from './session';

const SEEN = 'codegaze.welcomed';

export function welcomeOnce(session: Session, memory: vscode.Memento): vscode.Disposable {
  const subscription = session.onStatus(async (status) => {
    if (status?.state !== 'ready' || memory.get(SEEN)) return;
    subscription.dispose();
    await memory.update(SEEN, true);
    const which = status.embedded
      ? `the small model that comes with Codegaze (${status.model}). CodeBERT is larger, 500 MB, and downloaded on request.`
      : `${status.model}.`;
    const [explain, codebert] = ['What Do I See?', 'Use CodeBERT'];
    const choice = await vscode.window.showInformationMessage(
      `Codegaze: the bluer a word, the more a code model attends to it. The model is ${which}`,
      ...(status.embedded ? [explain, codebert] : [explain]),
    );
    if (choice === explain) await vscode.commands.executeCommand(COMMANDS.showWalkthrough);
    if (choice === codebert) await useModel(session, 'microsoft/codebert-base');
  });
  return subscription;
}
