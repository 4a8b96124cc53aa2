// Quick picks of what is shown: model, method, layer, head, style, level.

import * as vscode from 'vscode';
import { AGGREGATE_TEXTS, AGGREGATES, METHODS } from '../../../web/src/generated/lists';
import { describeView, shortModel } from '../../../web/src/view/words';
import { messageOf } from './errors';
import { COLORS, COMMANDS, LEVELS, type Level, STYLES, type Style } from './names';
import { MODEL, type ModelResult, SERVER_COMMANDS, type View, type ViewOptions } from './protocol';
import type { Session } from './session';
import { isHighContrast, settings, write } from './settings';
import { aggregateWords, meaning, ofSubwords, translated } from './words';

type Pick<T> = vscode.QuickPickItem & { value?: T };

const DEFAULT_HUB_MODEL = 'microsoft/codebert-base';

async function choose<T>(items: Pick<T>[], placeHolder: string, title?: string): Promise<T | undefined> {
  const options = { placeHolder, matchOnDescription: true, ...(title === undefined ? {} : { title }) };
  const picked = await vscode.window.showQuickPick(items, options);
  return picked?.value;
}

const checked = (label: string, isCurrent: boolean) => (isCurrent ? `$(check) ${label}` : label);

async function model(session: Session): Promise<ModelResult | null> {
  return (await session.running?.sendRequest(MODEL, {})) ?? null;
}

async function apply(session: Session, options: ViewOptions): Promise<void> {
  try {
    await session.setView(options);
  } catch (error) {
    void vscode.window.showErrorMessage(vscode.l10n.t('Codegaze: {0}', messageOf(error)));
  }
}

/** What to choose; ends in one of the other picks. */
export async function selectView(session: Session): Promise<void> {
  const now = await model(session);
  const view = now?.view;
  const entry = (icon: string, label: string, description: string, value: string): Pick<string> => ({
    label: `$(${icon}) ${label}`,
    description,
    value,
  });
  const items: Pick<string>[] = [
    entry('circuit-board', vscode.l10n.t('Model…'), now?.id ?? vscode.l10n.t('none yet'), COMMANDS.selectModel),
    entry(
      'symbol-operator',
      vscode.l10n.t('Method…'),
      view ? translated(METHODS[view.method].name) : '',
      COMMANDS.selectMethod,
    ),
    entry('layers', vscode.l10n.t('Layer…'), view ? describeLayers(view) : '', COMMANDS.selectLayer),
    entry('split-horizontal', vscode.l10n.t('Head…'), view ? describeHeads(view) : '', COMMANDS.selectHead),
    entry(
      'group-by-ref-type',
      vscode.l10n.t('Aggregate of subwords…'),
      view ? aggregateWords(view.aggregate) : '',
      COMMANDS.selectAggregate,
    ),
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    entry('symbol-color', vscode.l10n.t('Heat style…'), settings.style(), COMMANDS.selectStyle),
    entry('eye', vscode.l10n.t('Show or hide attention'), '', COMMANDS.toggle),
    entry('eye-closed', vscode.l10n.t('On or off, here or elsewhere…'), '', COMMANDS.turnOff),
    entry(
      'inspect',
      vscode.l10n.t('Attention of the word at the cursor'),
      settings.hasCursorAttention() ? vscode.l10n.t('on') : vscode.l10n.t('off'),
      COMMANDS.toggleCursorAttention,
    ),
    entry('graph-scatter', vscode.l10n.t('Heatmap'), '', COMMANDS.showHeatmap),
    entry('info', vscode.l10n.t('Legend'), '', COMMANDS.showLegend),
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    entry('output', vscode.l10n.t('Show log'), '', COMMANDS.showLog),
    entry('debug-restart', vscode.l10n.t('Restart server'), '', COMMANDS.restart),
  ];
  const command = await choose(items, view ? `${now?.id ?? ''}: ${describeView(view)}` : 'Codegaze');
  if (command !== undefined) await vscode.commands.executeCommand(command);
}

const describeLayers = (view: View) => view.layers.join(', ');
const describeHeads = (view: View) => (typeof view.heads === 'string' ? view.heads : view.heads.join(', '));

export async function selectModel(session: Session): Promise<void> {
  const now = settings.model();
  const known: Pick<string>[] = [
    {
      label: 'auto',
      description: vscode.l10n.t('CodeBERT if it is on this machine, else the small embedded model'),
      value: 'auto',
    },
    { label: 'embedded', description: vscode.l10n.t('The small model that is part of the program'), value: 'embedded' },
    {
      label: DEFAULT_HUB_MODEL,
      description: vscode.l10n.t('CodeBERT; 500 MB, asks before it downloads'),
      value: DEFAULT_HUB_MODEL,
    },
  ];
  if (!known.some(({ value }) => value === now)) known.push({ label: now, value: now });
  for (const item of known) item.label = checked(item.label, item.value === now);
  const [directory, hub] = ['\0directory', '\0hub'];
  const choice = await choose(
    [
      ...known,
      { label: '', kind: vscode.QuickPickItemKind.Separator },
      {
        label: `$(folder-opened) ${vscode.l10n.t('A directory…')}`,
        description: vscode.l10n.t('config.json, a tokenizer, safetensors or PyTorch weights'),
        value: directory,
      },
      { label: `$(cloud) ${vscode.l10n.t('Another model of the Hugging Face hub…')}`, value: hub },
    ],
    vscode.l10n.t('Which model shall look at the source?'),
  );
  let chosen = choice;
  if (choice === directory) {
    const [folder] =
      (await vscode.window.showOpenDialog({
        canSelectFiles: false,
        canSelectFolders: true,
        openLabel: vscode.l10n.t('Use Model'),
      })) ?? [];
    chosen = folder?.fsPath;
  } else if (choice === hub) {
    chosen = await vscode.window.showInputBox({
      prompt: vscode.l10n.t('A RoBERTa-family model, as owner/name'),
      validateInput: (value) =>
        /^[\w.-]+\/[\w.-]+$/.test(value.trim())
          ? null
          : vscode.l10n.t('owner/name, such as {0}', 'microsoft/graphcodebert-base'),
    });
  }
  if (chosen === undefined) return;
  await useModel(session, chosen.trim());
}

/** Downloads the model that the settings name. */
export async function downloadModel(session: Session): Promise<void> {
  const name = settings.model();
  try {
    await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Codegaze: downloading {0}', name) },
      () => session.execute(SERVER_COMMANDS.downloadModel, { model: name }),
    );
  } catch (error) {
    void vscode.window.showErrorMessage(vscode.l10n.t('Codegaze cannot download {0}: {1}', name, messageOf(error)));
  }
}

/** Writes the model to the settings, and uses it now. */
export async function useModel(session: Session, name: string): Promise<void> {
  await write('model', name);
  try {
    // The setting may have had this value while another model served.
    await session.execute(SERVER_COMMANDS.setModel, { model: name });
  } catch (error) {
    void vscode.window.showErrorMessage(
      vscode.l10n.t('Codegaze cannot use {0}: {1}', shortModel(name), messageOf(error)),
    );
  }
}

export async function selectMethod(session: Session): Promise<void> {
  const now = await model(session);
  if (!now) return;
  const method = await choose(
    now.methods.map((value) => ({
      label: checked(translated(METHODS[value].name), now.view?.method === value),
      description: value,
      detail: translated(METHODS[value].what),
      value,
    })),
    vscode.l10n.t('How does attention become heat?'),
  );
  // Another method, another default of layers.
  if (method !== undefined) await apply(session, { method, layers: null });
}

export async function selectLayer(session: Session): Promise<void> {
  const now = await model(session);
  if (!now?.view) return;
  const current = now.view.layers;
  const items: Pick<ViewOptions['layers']>[] = [
    { label: vscode.l10n.t("The method's own choice"), value: null },
    { label: vscode.l10n.t('All layers'), value: 'all' },
    ...Array.from({ length: now.layers }, (_, layer) => ({
      label: checked(vscode.l10n.t('Layer {0}', layer), current.length === 1 && current[0] === layer),
      description: layer === 0 ? vscode.l10n.t('the first') : layer === now.layers - 1 ? vscode.l10n.t('the last') : '',
      value: layer,
    })),
  ];
  const layers = await choose(items, vscode.l10n.t('Which layer?'));
  if (layers !== undefined) await apply(session, { layers });
}

export async function selectHead(session: Session): Promise<void> {
  const now = await model(session);
  if (!now?.view) return;
  const current = now.view.heads;
  const items: Pick<NonNullable<ViewOptions['heads']>>[] = [
    { label: checked(vscode.l10n.t('Mean of all heads'), current === 'mean'), value: 'mean' },
    { label: checked(vscode.l10n.t('Maximum of all heads'), current === 'max'), value: 'max' },
    ...Array.from({ length: now.heads }, (_, head) => ({
      label: checked(
        vscode.l10n.t('Head {0}', head),
        Array.isArray(current) && current.length === 1 && current[0] === head,
      ),
      value: head,
    })),
  ];
  const heads = await choose(items, vscode.l10n.t('Which head?'));
  if (heads !== undefined) await apply(session, { heads });
}

export async function selectAggregate(session: Session): Promise<void> {
  const now = await model(session);
  if (!now) return;
  const aggregate = await choose(
    AGGREGATES.map((value) => ({
      label: checked(value, now.view?.aggregate === value),
      description: translated(AGGREGATE_TEXTS[value]),
      value,
    })),
    vscode.l10n.t("How do the scores of a word's subwords become one?"),
  );
  if (aggregate !== undefined) await apply(session, { aggregate });
}

function styleText(style: Style): string {
  switch (style) {
    case 'background':
      return vscode.l10n.t('A background that is stronger where the model looks more');
    case 'underline':
      return vscode.l10n.t('A line under the word: dotted, dashed, solid, thicker with the level');
    case 'spotlight':
      return vscode.l10n.t('Words that the model hardly looks at are dimmed');
    case 'off':
      return vscode.l10n.t('No heat; hovers, code lenses and the heatmap remain');
  }
}

export async function selectStyle(): Promise<void> {
  const now = settings.style();
  const style = await choose(
    STYLES.map((value) => ({ label: checked(value, value === now), description: styleText(value), value })),
    vscode.l10n.t('How shall heat be drawn?'),
  );
  if (style !== undefined) await write('style', style);
}

const KINDS = {
  [vscode.ColorThemeKind.Light]: 'light',
  [vscode.ColorThemeKind.Dark]: 'dark',
  [vscode.ColorThemeKind.HighContrast]: 'highContrast',
  [vscode.ColorThemeKind.HighContrastLight]: 'highContrastLight',
} as const;

/** A level in the extension's default colors: quick picks show pictures, and no colors of themes. */
function swatch(level: Level, extension: vscode.Extension<unknown>): vscode.Uri {
  const colors: { id: string; defaults: Record<string, string> }[] = extension.packageJSON.contributes.colors;
  const kind = KINDS[vscode.window.activeColorTheme.kind];
  const color = (id: string) => colors.find((each) => each.id === id)?.defaults[kind] ?? 'none';
  const svg = [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">',
    `<rect x="1" y="1" width="14" height="14" fill="${color(COLORS.background(level))}"`,
    ` stroke="${color(COLORS.border(level))}"/>`,
    `<rect x="1" y="13" width="14" height="2" fill="${color(COLORS.line(level))}"/></svg>`,
  ].join('');
  return vscode.Uri.parse(`data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`);
}

/** The legend. The level that the user picks becomes the lowest one that is shown. */
export async function showLegend(session: Session, extension: vscode.Extension<unknown>): Promise<void> {
  const configuration = vscode.workspace.getConfiguration('codegaze', null);
  const quantiles = configuration.get<number[]>('levelQuantiles') ?? [];
  const now = settings.minLevel();
  const rows = LEVELS.map((level) => {
    const share = Math.round(100 * ((quantiles[level] ?? 1) - (quantiles[level - 1] ?? 0)));
    const which =
      level === 5
        ? vscode.l10n.t('the {0} % of all words with the most attention', share)
        : vscode.l10n.t('the next {0} %', share);
    return {
      label: vscode.l10n.t('Level {0}', level),
      description: level === now ? vscode.l10n.t('{0}, the lowest that is shown', which) : which,
      iconPath: swatch(level, extension),
      value: level,
    };
  });
  const aggregate = session.status?.view?.aggregate;
  const rest = vscode.l10n.t('Pick the lowest level to show.');
  const minLevel = await choose<number>(
    rows.reverse(),
    aggregate && settings.style() !== 'off' ? `${ofSubwords(aggregate)} ${rest}` : rest,
    meaning(settings.style(), isHighContrast()),
  );
  if (minLevel !== undefined && minLevel !== now) await write('minLevel', minLevel);
}
