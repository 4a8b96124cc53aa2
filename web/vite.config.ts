import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** The licences of what is in the bundle, at its head. */
function notices(): Plugin {
  const folders = new Set<string>();
  return {
    name: 'notices',
    enforce: 'post',
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        for (const id of Object.keys(chunk.modules)) {
          const folder = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
          if (folder) folders.add(folder);
        }
        const entries = [...folders].sort().map((folder) => {
          const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
          return {
            what: `${name} ${version} (${license})`,
            text: readFileSync(join(folder, 'LICENSE'), 'utf8').trim(),
          };
        });
        const texts = new Map<string, string[]>();
        for (const { what, text } of entries) texts.set(text, [...(texts.get(text) ?? []), what]);
        const all = [...texts].map(([text, whose]) => `${whose.join(', ')}:\n\n${text}`).join('\n\n');
        chunk.code = `/*!\nThis file holds:\n\n${all.replaceAll('*/', '* /')}\n*/\n${chunk.code}`;
      }
    },
  };
}

export default defineConfig({
  // The server's own address; `npm run dev` passes on what is not a file of the page.
  server: {
    proxy: {
      '/ws': { target: 'ws://127.0.0.1:8001', ws: true, changeOrigin: true, rewriteWsOrigin: true },
      '/models': 'http://127.0.0.1:8001',
      '/docs': 'http://127.0.0.1:8001',
    },
    fs: { allow: [join(dirname(import.meta.dirname), '.')] },
  },
  build: {
    target: ['chrome111', 'firefox114', 'safari16.4'],
    modulePreload: false,
    assetsInlineLimit: 0,
    // Committed and embedded: names that stay, one script, one style sheet.
    rolldownOptions: {
      output: { entryFileNames: 'codegaze.js', assetFileNames: 'codegaze[extname]', codeSplitting: false },
    },
  },
  plugins: [notices()],
  test: { include: ['test/**/*.test.ts'] },
});
