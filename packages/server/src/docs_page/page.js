// The page at /auth/docs: reads the OpenAPI document, shows every operation, and sends what its reader fills in. Tokens
// live in this module's memory and nowhere else; text goes into the page as text only.

const session = { tokens: undefined };
const byId = (id) => document.getElementById(id);
const say = (text) => {
  byId('notice').textContent = text;
};

async function signIn(event) {
  event.preventDefault();
  const form = event.target;
  const { username, password, audience } = Object.fromEntries(new FormData(form));
  const metadata = await (await fetch('/auth/.well-known/openid-configuration')).json();
  const wanted = audience === 'issuer' ? { audience: metadata.issuer } : {};
  const response = await fetch('/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password, ...wanted }),
  });
  const answer = await response.json();
  form.elements.password.value = '';
  if (!response.ok) return say(answer.error_description);
  session.tokens = answer;
  showSession(`Signed in as ${username}. Your token goes with every call below.`);
}

async function signOut() {
  const { access_token } = session.tokens;
  session.tokens = undefined;
  await fetch('/auth/logout', { method: 'POST', headers: { authorization: `Bearer ${access_token}` } });
  showSession('');
}

function showSession(text) {
  say('');
  byId('sign-in').hidden = session.tokens !== undefined;
  byId('signed-in').hidden = session.tokens === undefined;
  byId('signed-in').querySelector('span').textContent = text;
}

/** A new pair of tokens; answers whether there is one. */
async function refresh() {
  if (session.tokens === undefined) return false;
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: session.tokens.refresh_token,
  });
  const response = await fetch('/auth/token', { method: 'POST', body });
  if (!response.ok) {
    session.tokens = undefined;
    showSession('');
    return false;
  }
  session.tokens = { ...session.tokens, ...(await response.json()) };
  return true;
}

function resolve(schema, spec) {
  const name = schema?.$ref?.split('/').pop();
  return name === undefined ? (schema ?? {}) : spec.components.schemas[name];
}

/** Something to begin with, for a schema. */
function example(given, spec) {
  const schema = resolve(given, spec);
  if (schema.anyOf) return example(schema.anyOf[0], spec);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.type === 'object') {
    const required = schema.required ?? [];
    const names = Object.keys(schema.properties ?? {}).filter(
      (name) => required.includes(name) || required.length === 0,
    );
    return Object.fromEntries(names.map((name) => [name, example(schema.properties[name], spec)]));
  }
  return { array: [], boolean: false, integer: schema.minimum ?? 0, null: null }[schema.type] ?? '';
}

function labelled(text, control) {
  const label = document.createElement('label');
  label.append(text, control);
  return label;
}

function inputFor(name, place, required) {
  const input = document.createElement('input');
  input.name = name;
  input.dataset.place = place;
  input.required = required;
  input.autocomplete = 'off';
  return input;
}

function fieldsOf(operation, spec) {
  const fields = (operation.parameters ?? []).map((parameter) =>
    labelled(
      `${parameter.name} (${parameter.in})${parameter.description ? `: ${parameter.description}` : ''}`,
      inputFor(parameter.name, parameter.in, parameter.required),
    ),
  );
  if (operation.security?.some((rule) => 'client' in rule)) {
    fields.push(labelled('client id', inputFor('id', 'client', true)));
    const secret = inputFor('secret', 'client', true);
    secret.type = 'password';
    fields.push(labelled('client secret', secret));
  }
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (type === 'application/x-www-form-urlencoded') {
    const schema = resolve(media.schema, spec);
    for (const name of Object.keys(schema.properties ?? {}))
      fields.push(labelled(name, inputFor(name, 'form', schema.required?.includes(name) === true)));
  } else if (type !== undefined) {
    const area = document.createElement('textarea');
    area.name = 'body';
    area.dataset.place = 'body';
    area.spellcheck = false;
    area.value = JSON.stringify(example(media.schema, spec), null, 2);
    fields.push(labelled('body (JSON)', area));
  }
  return fields;
}

function requestOf(form, { method, path }) {
  const values = { path: {}, query: {}, header: {}, client: {}, form: {}, body: {} };
  for (const { name, value, dataset } of form.elements)
    if (dataset.place !== undefined && value !== '') values[dataset.place][name] = value;
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name) => encodeURIComponent(values.path[name] ?? ''));
  const query = new URLSearchParams(values.query).toString();
  const headers = { ...values.header };
  let body;
  if (values.body.body !== undefined) {
    headers['content-type'] = 'application/json';
    body = values.body.body;
  } else if (Object.keys(values.form).length > 0) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    body = new URLSearchParams(values.form).toString();
  }
  if (values.client.id !== undefined)
    headers.authorization = `Basic ${btoa(`${values.client.id}:${values.client.secret}`)}`;
  return { url: filled + (query === '' ? '' : `?${query}`), method, headers, body };
}

function send({ url, method, headers, body }) {
  const bearer =
    session.tokens === undefined || headers.authorization !== undefined
      ? {}
      : { authorization: `Bearer ${session.tokens.access_token}` };
  return fetch(url, { method, headers: { ...bearer, ...headers }, ...(body === undefined ? {} : { body }) });
}

/** The text of an answer; of an endless stream, what came within three seconds. */
async function read(response) {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return await response.text();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  setTimeout(() => reader.cancel(), 3000);
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
  return text;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** The call for a shell; who pastes it fills in the secrets. */
function commandOf({ url, method, headers, body }, needsToken) {
  const shown = { ...(needsToken ? { authorization: 'Bearer $TOKEN' } : {}), ...headers };
  const lines = Object.entries(shown).map(([name, value]) =>
    name === 'authorization' && value.startsWith('Basic ')
      ? '  -u "$CLIENT_ID:$CLIENT_SECRET"'
      : `  -H ${value.includes('$') ? `"${name}: ${value}"` : quoted(`${name}: ${value}`)}`,
  );
  if (body !== undefined) lines.push(`  -d ${quoted(body)}`);
  return [`curl -s -X ${method} ${quoted(location.origin + url)}`, ...lines].join(' \\\n');
}

function card(call, spec) {
  const { method, path, operation } = call;
  const details = byId('operation').content.cloneNode(true).querySelector('details');
  const part = (selector) => details.querySelector(selector);
  const needsToken = operation.security?.some((rule) => 'bearer' in rule) === true;
  part('.method').textContent = method;
  part('.path').textContent = path;
  part('.what').textContent = operation.summary;
  part('.access').textContent = operation['x-permission'] ?? (needsToken ? 'signed in' : '');
  const form = part('form');
  const build = () => {
    if (form.dataset.built !== undefined) return;
    form.dataset.built = 'yes';
    part('.fields').append(...fieldsOf(operation, spec));
    showCommand();
  };
  const showCommand = () => {
    part('.curl').textContent = commandOf(requestOf(form, call), needsToken);
  };
  details.addEventListener('toggle', build);
  form.addEventListener('input', showCommand);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const answer = part('.answer');
    const request = requestOf(form, call);
    let response = await send(request);
    const challenge = response.headers.get('www-authenticate');
    if (response.status === 401 && challenge?.startsWith('Bearer') && (await refresh()))
      response = await send(request);
    answer.querySelector('.status').textContent = `${response.status} ${response.statusText}`;
    answer.hidden = false;
    answer.querySelector('pre').textContent = pretty(await read(response));
  });
  return details;
}

function show(spec) {
  const calls = Object.entries(spec.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([verb, operation]) => ({ path, method: verb.toUpperCase(), operation })),
  );
  const sections = spec.tags.map(({ name }) => {
    const section = document.createElement('section');
    const heading = document.createElement('h2');
    heading.textContent = name;
    const own = calls.filter(({ operation }) => operation.tags.includes(name));
    section.append(heading, ...own.map((call) => card(call, spec)));
    return section;
  });
  byId('operations').replaceChildren(...sections);
}

function search() {
  const words = byId('search').value.toLowerCase().split(/\s+/);
  for (const section of byId('operations').children) {
    const cards = [...section.querySelectorAll('details')];
    for (const details of cards) {
      const text = `${section.firstChild.textContent} ${details.querySelector('summary').textContent}`;
      details.hidden = !words.every((word) => text.toLowerCase().includes(word));
    }
    section.hidden = cards.every((details) => details.hidden);
  }
}

byId('sign-in').addEventListener('submit', signIn);
byId('signed-in').querySelector('button').addEventListener('click', signOut);
byId('search').addEventListener('input', search);
show(await (await fetch('/auth/openapi.json')).json());
