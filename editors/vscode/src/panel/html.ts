// The panel's page. It contains nothing of a document: that arrives in messages, and is written as text.

export interface PageParts {
  nonce: string;
  cspSource: string;
  scriptUri: string;
  styleUri: string;
}

/** 128 random bits, in hexadecimal. */
export function createNonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function page({ nonce, cspSource, scriptUri, styleUri }: PageParts): string {
  const policy = [
    "default-src 'none'",
    `style-src ${cspSource}`,
    `script-src 'nonce-${nonce}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${styleUri}">
<title>Attention heatmap</title>
</head>
<body>
<header>
  <h1 id="title">Attention heatmap</h1>
  <p id="subtitle"></p>
  <p id="cut"></p>
  <p id="source-view" role="status" hidden><span id="source-view-text"></span>
    <button id="show-in-source" type="button">Show this view in the source</button>
    <button id="show-source-view" type="button">Show the source's view here</button></p>
  <div id="tools" role="toolbar" aria-label="View">
    <label>Method <select id="method"></select></label>
    <label>Layer <select id="layer"></select></label>
    <label>Head <select id="head"></select></label>
    <button id="thumbnails-toggle" type="button" aria-pressed="false">All heads</button>
    <label>Of <select id="part"><option value="definition">this definition</option><option value="chunk">the whole chunk</option></select></label>
    <label>By <select id="unit"><option value="lexeme">word</option><option value="subword">subword</option></select></label>
    <label><input id="follow" type="checkbox"> Follow the cursor</label>
    <span class="group" role="group" aria-label="Zoom">
      <button id="zoom-out" type="button" aria-label="Zoom out">−</button>
      <button id="zoom-fit" type="button">Fit</button>
      <button id="zoom-in" type="button" aria-label="Zoom in">+</button>
    </span>
    <span class="group" role="group" aria-label="Export">
      <button id="export-png" type="button">PNG</button>
      <button id="export-svg" type="button">SVG</button>
      <button id="export-json" type="button">JSON</button>
    </span>
  </div>
</header>
<p id="nothing" role="status"></p>
<section id="thumbnails" aria-label="All layers and heads" hidden></section>
<p id="readout"></p>
<main hidden>
  <div id="matrix" tabindex="0" role="application" aria-roledescription="attention matrix" aria-describedby="help" aria-label="Attention matrix"></div>
  <aside>
    <div id="legend"><canvas id="scale" aria-hidden="true"></canvas><ol id="ticks" aria-label="Color scale, weights"></ol></div>
    <p id="heat-legend"><span id="swatches" aria-hidden="true"><i class="level1">1</i><i class="level2">2</i><i class="level3">3</i><i class="level4">4</i><i class="level5">5</i></span> <span id="heat-words"></span></p>
    <div id="lists"></div>
    <p id="sinks"></p>
    <p id="help">Rows attend, columns are attended to. Arrow keys walk, Enter goes to the column's word, Shift+Enter to the row's; + and − zoom.</p>
  </aside>
</main>
<p id="live" class="hidden" aria-live="polite"></p>
<script nonce="${nonce}" src="${scriptUri}"></script>
</body>
</html>`;
}
