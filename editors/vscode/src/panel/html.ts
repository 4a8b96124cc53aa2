// The panel's page. It contains nothing of a document: that arrives in messages, and is written as text.
import * as vscode from 'vscode';
import { escaped } from '../../../../web/src/draw/svg';
import { LEVELS } from '../names';
import { scalings } from './controls';
import type { Choice } from './messages';

export interface PageParts {
  nonce: string;
  cspSource: string;
  scriptUri: string;
  styleUri: string;
  /** The language of the texts, such as `en`. */
  language: string;
}

/** 128 random bits, in hexadecimal. */
export function createNonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function page({ nonce, cspSource, scriptUri, styleUri, language }: PageParts): string {
  const policy = [
    "default-src 'none'",
    `style-src ${cspSource}`,
    `script-src 'nonce-${nonce}'`,
    // The PNG export draws the SVG.
    'img-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  // Attributes and text: the translations may contain any character.
  const t = (message: string) => escaped(vscode.l10n.t(message));
  const options = (choices: readonly Choice[]) =>
    choices
      .map(
        ({ value, text, title = '' }) =>
          `<option value="${escaped(value)}" title="${escaped(title)}">${escaped(text)}</option>`,
      )
      .join('');
  const parts = [
    { value: 'definition', text: vscode.l10n.t('this definition') },
    { value: 'chunk', text: vscode.l10n.t('the whole chunk') },
  ];
  const units = [
    { value: 'lexeme', text: vscode.l10n.t('word') },
    { value: 'subword', text: vscode.l10n.t('subword') },
  ];
  const levels = LEVELS.map((level) => `<i class="level${level}">${level}</i>`).join('');
  return `<!DOCTYPE html>
<html lang="${escaped(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${styleUri}">
<title>${t('Attention heatmap')}</title>
</head>
<body>
<header>
  <h1 id="title">${t('Attention heatmap')}</h1>
  <p id="subtitle"></p>
  <p id="cut"></p>
  <p id="source-view" role="status" hidden><span id="source-view-text"></span>
    <button id="show-in-source" type="button">${t('Show this view in the source')}</button>
    <button id="show-source-view" type="button">${t("Show the source's view here")}</button></p>
  <div id="tools" role="toolbar" aria-label="${t('View')}">
    <label>${t('Method')} <select id="method"></select></label>
    <label>${t('Layer')} <select id="layer"></select></label>
    <label>${t('Head')} <select id="head"></select></label>
    <button id="thumbnails-toggle" type="button" aria-pressed="false">${t('All heads')}</button>
    <label title="${t('How the scores of a word’s subwords become one. It changes the heat in the source, and not the matrix.')}">${t('Subwords')} <select id="aggregate"></select></label>
    <label>${t('Of')} <select id="part">${options(parts)}</select></label>
    <label>${t('By')} <select id="unit">${options(units)}</select></label>
    <label>${t('Colors')} <select id="scaling">${options(scalings())}</select></label>
    <label><input id="follow" type="checkbox"> ${t('Follow the cursor')}</label>
    <span class="group" role="group" aria-label="${t('Zoom')}">
      <button id="zoom-out" type="button" aria-label="${t('Zoom out')}">−</button>
      <button id="zoom-fit" type="button">${t('Fit')}</button>
      <button id="zoom-in" type="button" aria-label="${t('Zoom in')}">+</button>
    </span>
    <span class="group" role="group" aria-label="${t('Export')}">
      <button id="export-png" type="button">PNG</button>
      <button id="export-svg" type="button">SVG</button>
      <button id="export-json" type="button">JSON</button>
    </span>
  </div>
</header>
<p id="nothing" role="status"></p>
<section id="thumbnails" aria-label="${t('All layers and heads')}" hidden></section>
<p id="readout"></p>
<div id="legend" hidden><canvas id="scale" aria-hidden="true"></canvas><ol id="ticks" aria-label="${t('Color scale, weights')}"></ol><p id="color-note"></p></div>
<main hidden>
  <div id="matrix" tabindex="0" role="application" aria-roledescription="${t('attention matrix')}" aria-describedby="help" aria-label="${t('Attention matrix')}"></div>
  <aside>
    <p id="sinks"></p>
    <p id="heat-legend"><b>${t('In the source')}</b> <span id="swatches" aria-hidden="true">${levels}</span> <span id="heat-words"></span></p>
    <div id="lists"></div>
    <p id="help">${t("Rows attend, columns are attended to. Arrow keys walk, Enter goes to the column's word, Shift+Enter to the row's; + and − zoom.")}</p>
  </aside>
</main>
<p id="live" class="hidden" aria-live="polite"></p>
<script nonce="${nonce}" src="${scriptUri}"></script>
</body>
</html>`;
}
