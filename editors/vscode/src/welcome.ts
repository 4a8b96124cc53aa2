// Explains the colors and names the model, once for each user.
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
      ? vscode.l10n.t(
          'the small one that comes with Codegaze ({0}); CodeBERT is larger and closer to what research uses: 500 MB, downloaded when you ask for it.',
          status.model ?? '',
        )
      : `${status.model}.`;
    const explain = vscode.l10n.t('What Do I See?');
    const codebert = vscode.l10n.t('Use CodeBERT');
    const choice = await vscode.window.showInformationMessage(
      vscode.l10n.t(
        'Codegaze shows where a code model looks. {0} The model is {1}',
        legend(settings.style(), isHighContrast(), status.view?.aggregate ?? null),
        which,
      ),
      ...(status.embedded ? [explain, codebert] : [explain]),
    );
    if (choice === explain) await vscode.commands.executeCommand(COMMANDS.showWalkthrough);
    if (choice === codebert) await useModel(session, 'microsoft/codebert-base');
  });
  return subscription;
}
