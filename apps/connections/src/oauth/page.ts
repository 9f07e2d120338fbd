/** What a person sees when connecting ends without a place to return to. */
export function renderPage(page: { title: string; text: string; reason?: string }): string {
  const reason = page.reason === undefined ? '' : `<p><code>${escape(page.reason)}</code></p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(page.title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}</style>
</head>
<body>
<h1>${escape(page.title)}</h1>
<p>${escape(page.text)}</p>
${reason}
</body>
</html>
`;
}

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
