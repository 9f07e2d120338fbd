/* global React, ReactDOM, GraphiQL */
// The key lives in this tab only: sessionStorage ends with it.
const KEY = 'manifold.apiKey';
const WORKSPACE = 'manifold.workspace';
const key = document.querySelector('#key');
const workspace = document.querySelector('#workspace');
const state = document.querySelector('#state');
key.value = sessionStorage.getItem(KEY) ?? '';
workspace.value = sessionStorage.getItem(WORKSPACE) ?? '';

async function send(operation) {
  const headers = { 'content-type': 'application/json' };
  if (key.value !== '') headers.authorization = `Bearer ${key.value}`;
  if (workspace.value !== '') headers['x-workspace'] = workspace.value;
  const response = await fetch('/graphql', {
    method: 'POST',
    headers,
    body: JSON.stringify(operation),
  });
  state.textContent = response.status === 401 ? 'Enter a valid API key.' : '';
  return response.json();
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
      fetcher: ({ query, variables, operationName }) => send({ query, variables, operationName }),
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
