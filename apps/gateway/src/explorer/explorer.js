/* global React, ReactDOM, GraphiQL */
// The key lives in this tab only: sessionStorage ends with it.
const KEY = 'manifold.apiKey';
const WORKSPACE = 'manifold.workspace';
const key = document.querySelector('#key');
const workspace = document.querySelector('#workspace');
const state = document.querySelector('#state');
key.value = sessionStorage.getItem(KEY) ?? '';
workspace.value = sessionStorage.getItem(WORKSPACE) ?? '';

function post(operation, { accept, signal }) {
  const headers = { 'content-type': 'application/json', accept };
  if (key.value !== '') headers.authorization = `Bearer ${key.value}`;
  if (workspace.value !== '') headers['x-workspace'] = workspace.value;
  return fetch('/graphql', { method: 'POST', headers, body: JSON.stringify(operation), signal });
}

async function send(operation) {
  const response = await post(operation, { accept: 'application/json' });
  state.textContent = response.status === 401 ? 'Enter a valid API key.' : '';
  return response.json();
}

// a subscription is answered in parts, until the stop button is pressed
async function* follow(operation) {
  const leaving = new AbortController();
  try {
    const response = await post(operation, { accept: 'text/event-stream', signal: leaving.signal });
    if (!response.ok) return yield await response.json();
    let text = '';
    for await (const chunk of partsOf(response.body.pipeThrough(new TextDecoderStream()))) {
      const parts = (text + chunk).split('\n\n');
      text = parts.pop();
      for (const part of parts) {
        if (part.startsWith('event: next\n')) yield JSON.parse(part.slice(part.indexOf('{')));
      }
    }
  } finally {
    leaving.abort();
  }
}

// not every browser can iterate a stream
async function* partsOf(stream) {
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}

const isSubscription = (document, name) =>
  document?.definitions.some(
    (part) =>
      part.operation === 'subscription' && (name === undefined || part.name?.value === name),
  );

function answer({ query, variables, operationName }, { documentAST } = {}) {
  const operation = { query, variables, operationName };
  return isSubscription(documentAST, operationName ?? undefined)
    ? follow(operation)
    : send(operation);
}

const firstOperation = `# Press the play button. Ctrl-Space completes names.
query Start {
  viewer {
    user { name }
    role
    workspace { id name }
  }
}
`;
const root = ReactDOM.createRoot(document.querySelector('#explorer'));
// a new identity reads the schema anew
const show = (generation) =>
  root.render(
    React.createElement(GraphiQL, {
      key: generation,
      fetcher: answer,
      defaultQuery: firstOperation,
      isHeadersEditorEnabled: false,
    }),
  );

let generation = 0;
document.querySelector('#who').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, key.value);
  sessionStorage.setItem(WORKSPACE, workspace.value);
  generation += 1;
  show(generation);
});
show(generation);
