// Makes docs/images/vscode-dark.png and vscode-light.png: the extension in a real editor. `npm run screenshots [-- FOLDER]`
//
// The same variables as of run.mjs.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare, supervise } from './prepare.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? join(here, '../../../../docs/images'));
process.exit(await supervise([join(here, 'pictures.mjs'), folder], prepare()));
