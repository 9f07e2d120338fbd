import { createHash } from 'node:crypto';
import { escape } from '../http/html-page.ts';
import { html, type Reply } from '../http/reply.ts';

const SCRIPT = `setInterval(async () => {
  if (document.hidden || String(getSelection())) return;
  const answer = await fetch(location.href).catch(() => undefined);
  if (!answer?.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
  document.querySelector('main').replaceWith(next.querySelector('main'));
}, 2000);`;

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
  body { max-width: 80rem; margin: 1.5rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .4rem; }
  div.table { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
  td { overflow-wrap: anywhere; }
  td.number { text-align: right; font-variant-numeric: tabular-nums; }
  strong.bad { color: light-dark(#a00, #f88); }`;

// nothing a record says can become a program here
const POLICY = `default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; script-src 'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`;

/** A page that brings itself up to date every two seconds. `content` is HTML already, the title is text. */
export function livePage(title: string, content: string): Reply {
  const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title><style>${STYLE}</style>
<noscript><meta http-equiv="refresh" content="2"></noscript></head>
<body><main><h1>${escape(title)}</h1>${content}</main><script>${SCRIPT}</script></body></html>`;
  return { ...html(200, page), headers: { 'content-security-policy': POLICY } };
}

/** A cell: text, a number, or a link; `bad` is for what deserves a look. */
export type Cell = string | number | { href: string; text: string } | { bad: string };

/** A table of text; everything is escaped here. */
export function tableOf(heads: readonly string[], rows: readonly Cell[][], none: string): string {
  if (rows.length === 0) return `<p>${escape(none)}</p>`;
  const head = heads.map((name) => `<th scope="col">${escape(name)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map(cellOf).join('')}</tr>`).join('\n');
  return `<div class="table"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function cellOf(cell: Cell): string {
  if (typeof cell === 'number') return `<td class="number">${cell.toLocaleString('en')}</td>`;
  if (typeof cell === 'string') return `<td>${escape(cell)}</td>`;
  if ('bad' in cell) return `<td><strong class="bad">${escape(cell.bad)}</strong></td>`;
  return `<td><a href="${escape(cell.href)}">${escape(cell.text)}</a></td>`;
}

export function section(title: string, content: string): string {
  return `<section><h2>${escape(title)}</h2>${content}</section>`;
}
