/** The page for people, its files, and the same facts for programs. */
import { type assets, assets as files } from '../page/assets.ts';
import { statusPage } from '../page/page.ts';
import type { StatusDocument } from '../status/document.ts';

/** Nothing from elsewhere, nothing inline, nowhere inside of anything else; and no text becomes markup by a script. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

export interface PageAnswer {
  readonly code: 200;
  readonly text: string;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const documentAnswer = (status: StatusDocument): PageAnswer => ({
  code: 200,
  text: `${JSON.stringify(status)}\n`,
  contentType: 'application/json; charset=utf-8',
  headers: PAGE_HEADERS,
});

export const pageAnswer = (status: StatusDocument): PageAnswer => ({
  code: 200,
  text: statusPage(status),
  contentType: 'text/html; charset=utf-8',
  headers: { ...PAGE_HEADERS, vary: 'accept' },
});

export type AssetName = keyof typeof assets;

export const ASSET_NAMES = Object.keys(files) as readonly AssetName[];

export const assetAnswer = (name: AssetName): PageAnswer => ({ code: 200, ...files[name], headers: PAGE_HEADERS });

/** Has the client said that it takes HTML? `*` alone is what programs say. */
export const acceptsHtml = (accept: string | undefined): boolean =>
  (accept ?? '')
    .split(',')
    .map(range => range.split(';').map(part => part.trim().toLowerCase()))
    .some(([type, ...parameters]) => type === 'text/html' && !parameters.some(each => /^q=0(\.0*)?$/.test(each)));
