/** `title` and `content` are HTML already. */
export function pageOf(title: string, content: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
    <style>body{font:16px system-ui;max-width:28rem;margin:4rem auto}button{margin-right:.5rem}dt{font-weight:600}</style>
    <h1>${title}</h1>${content}</html>`;
}

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
