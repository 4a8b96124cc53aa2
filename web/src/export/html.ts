// The source with its heat, and the open picture, in one file without scripts or references to other files.

import { make } from '../app/dom';
import { escaped } from '../draw/svg';
import type { HotSpan } from '../view/heat';

const STYLE = `
body { max-width: 60em; margin: 2em auto; padding: 0 1em; font: 14px/1.5 system-ui, sans-serif; color: #1f2328; background: #fff; }
pre { padding: 1em; overflow: auto; font: 13px/1.55 ui-monospace, Menlo, Consolas, monospace; border: 1px solid #d3d7dd; border-radius: 6px; }
h1 { font-size: 1.3em; } p { color: #5b626c; }
mark { color: inherit; border-radius: 2px; }
mark.l1 { background: #0072b214; } mark.l2 { background: #0072b229; } mark.l3 { background: #0072b242; }
mark.l4 { background: #0072b261; } mark.l5 { background: #0072b280; }
img { max-width: 100%; border: 1px solid #d3d7dd; border-radius: 6px; }
`;

const DARK = `:root { color-scheme: dark; }
body { color: #dcdfe4; background: #1e1f22; } p { color: #a0a7b1; } pre, img { border-color: #3c4046; }
`;

function painted(text: string, spans: readonly HotSpan[]): HTMLElement {
  const pre = make('pre');
  let next = 0;
  for (const [number, line] of text.split('\n').entries()) {
    let from = 0;
    for (let span = spans[next]; span?.line === number; span = spans[++next]) {
      const word = make('mark', line.slice(span.start, span.end), `l${span.level}`);
      word.title = `level ${span.level} of 5`;
      pre.append(line.slice(from, span.start), word);
      from = span.end;
    }
    pre.append(`${line.slice(from)}\n`);
  }
  return pre;
}

function pictureOf(svg: string, description: string): HTMLElement {
  const image = make('img');
  let binary = '';
  for (const byte of new TextEncoder().encode(svg)) binary += String.fromCharCode(byte);
  image.src = `data:image/svg+xml;base64,${btoa(binary)}`;
  image.alt = description;
  return image;
}

/**
 * `spans`: the words that the editor shows with heat. `svg`: the picture, if there is one. It has the page's colors, so the file has
 * them, too: dark or light.
 */
export function toHtml(
  title: string,
  subtitle: string,
  text: string,
  spans: readonly HotSpan[],
  svg: string | null,
  isDark: boolean,
): string {
  const body = make('body', [make('h1', title), make('p', subtitle), painted(text, spans)]);
  if (svg !== null) body.append(pictureOf(svg, `Picture: ${subtitle}`));
  // The head is text and not elements, because the policy of this page forbids the style element.
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}${isDark ? DARK : ''}</style>
</head>
${body.outerHTML}
</html>
`;
}
