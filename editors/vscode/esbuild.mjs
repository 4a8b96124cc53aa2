// Bundles the extension for Node and the panel's script for the webview.
// usage: node esbuild.mjs [--watch]
import { context } from 'esbuild';

const common = { bundle: true, minify: true, sourcemap: false, legalComments: 'inline', logLevel: 'warning' };
const contexts = await Promise.all([
  context({
    ...common,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode'],
  }),
  context({
    ...common,
    entryPoints: { panel: 'src/panel/webview/main.ts', style: 'src/panel/webview/panel.css' },
    outdir: 'dist/panel',
    platform: 'browser',
    format: 'iife',
    target: 'chrome120',
  }),
]);
if (process.argv.includes('--watch')) {
  await Promise.all(contexts.map((each) => each.watch()));
} else {
  await Promise.all(contexts.map((each) => each.rebuild()));
  await Promise.all(contexts.map((each) => each.dispose()));
}
