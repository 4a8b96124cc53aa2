// Makes docs/images/vscode-dark.png and vscode-light.png, and the picture of this extension's README: the extension in a real editor. `npm run screenshots [-- FOLDER]`
//
// The same variables as of run.mjs.
import { copyFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare, supervise } from './prepare.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? join(here, '../../../../docs/images'));
const status = await supervise([join(here, 'pictures.mjs'), folder], prepare());
// The extension's package contains its picture.
if (status === 0 && process.argv[2] === undefined) {
  copyFileSync(join(folder, 'vscode-dark.png'), join(here, '../../media/overview-dark.png'));
}
process.exit(status);
