/** Puts what the page asks for where the compiled files look for it: beside them. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

cpSync(join(ROOT, 'src/page/assets'), join(ROOT, 'dist/page/assets'), { recursive: true });
