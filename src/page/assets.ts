/** The files that the page asks for, read once. Beside this file, in src and in dist alike. */
import { readFileSync } from 'node:fs';

const read = (name: string): string => readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8');

/** What is served below `/assets/`, and as what. */
export const assets = {
  'page.css': { contentType: 'text/css; charset=utf-8', text: read('page.css') },
  'page.js': { contentType: 'text/javascript; charset=utf-8', text: read('page.js') },
  'icon.svg': { contentType: 'image/svg+xml; charset=utf-8', text: read('icon.svg') },
} as const;
