/** What a person sees who came back from Pipedrive without a place to return to. */
export function renderPage(page: {
  title: string;
  text: string;
  reason?: string;
  /** For a person to copy. */
  code?: string;
}): string {
  const reason = page.reason === undefined ? '' : `<p><code>${escape(page.reason)}</code></p>`;
  const code = page.code === undefined ? '' : `<pre id="code">${escape(page.code)}</pre>`;
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
${code}${reason}
</body>
</html>
`;
}

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
