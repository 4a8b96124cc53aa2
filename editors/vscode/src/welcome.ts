// Said once: what the blue is, and that the model is the small one.
import * as vscode from 'vscode';
import { COMMANDS } from './names';
import { useModel } from './picks';
import type { Session } from './session';
import { isHighContrast, settings } from './settings';
import { legend } from './words';

const SEEN = 'codegaze.welcomed';

export function welcomeOnce(session: Session, memory: vscode.Memento): vscode.Disposable {
  const subscription = session.onStatus(async (status) => {
    if (status?.state !== 'ready' || memory.get(SEEN)) return;
    subscription.dispose();
    await memory.update(SEEN, true);
    const which = status.embedded
      ? `the small one that comes with Codegaze (${status.model}); CodeBERT is larger and closer to what research uses: 500 MB, downloaded when you ask for it.`
      : `${status.model}.`;
    const [explain, codebert] = ['What Do I See?', 'Use CodeBERT'];
    const choice = await vscode.window.showInformationMessage(
      `Codegaze shows where a code model looks. ${legend(settings.style(), isHighContrast())} The model is ${which}`,
      ...(status.embedded ? [explain, codebert] : [explain]),
    );
    if (choice === explain) await vscode.commands.executeCommand(COMMANDS.showWalkthrough);
    if (choice === codebert) await useModel(session, 'microsoft/codebert-base');
  });
  return subscription;
}
