/**
 * `npm run build`: dist/index.js, the library, with its types, module by module; dist/main.js, the command, in few files that hold
 * what it needs of the dependencies; and the licences of those.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram } from './program.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');

rmSync(DIST, { recursive: true, force: true });
execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: ROOT,
  stdio: 'inherit',
});
const packages = await buildProgram({
  folder: DIST,
  // Where the module would be, were dist/ laid out as src/ is: sql/ and package.json are found from there.
  urlOf: module => `new URL(${JSON.stringify(`./${module}`)}, import.meta.url).href`,
  // Loads files of its own by their names, and is needed by migrations only.
  external: ['node-pg-migrate'],
});
// What the page asks for, where its modules look for it.
cpSync(join(ROOT, 'src/page/assets'), join(DIST, 'page/assets'), { recursive: true });
writeFileSync(join(DIST, 'LICENSES.txt'), packages.map(licenceOf).join(`\n${'-'.repeat(80)}\n\n`));

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  return `${name} ${version} (${license})\n${text}`;
}
