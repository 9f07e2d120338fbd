/** What is left of a note's HTML: no scripts, styles or event handlers. */
export function cleanHtml(html: string): string {
  return html
    .replace(/<(script|style|iframe)\b[^>]*>[\s\S]*?<\/\1\s*>/gi, '')
    .replace(/<\/?(script|style|iframe)\b[^>]*>/gi, '')
    .replace(/<[a-z][^>]*>/gi, (tag) =>
      tag.replace(/\s(on[a-z]+|href\s*=\s*["']?\s*javascript:)[^\s>]*/gi, ''),
    );
}
