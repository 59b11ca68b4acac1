import { attempts } from './attempts.js';
import { fill, h } from './dom.js';
import { client } from './session.js';
import { clock } from './token.js';
import { tokenParts } from './token_parts.js';

/** Results outlive a change of the view, and the sign-out that the last attempt makes. */
const results = new Map();
let running = 0;

/** Whether an attempt is under way. */
export function cheating() {
  return running > 0;
}

export function cheatView(view) {
  const cards = attempts.map((attempt) => card(attempt, afterRun));
  const goOn = h('div', { role: 'status' });
  const all = h('button', { class: 'primary', onclick: tryAll }, 'Try all that can be tried now');
  function afterRun() {
    if (client.user !== undefined) return;
    for (const { button } of cards) button.disabled = true;
    fill(goOn, h('p', { class: 'notice' }, 'You are signed out. ', h('a', { href: '#/' }, 'Sign in again')));
  }
  async function tryAll() {
    all.disabled = true;
    for (const { attempt, run } of cards) {
      if (attempt.last !== true && (attempt.wait?.() ?? 0) === 0) await run();
    }
    all.disabled = false;
  }
  fill(
    view,
    h(
      'div',
      { class: 'title' },
      h('h1', {}, 'Try to cheat'),
      h(
        'p',
        {},
        'Each attempt is a real request, sent from this page with your token bent in some way. Nothing is simulated.',
      ),
      all,
    ),
    h(
      'div',
      { class: 'attempts' },
      cards.map(({ element }) => element),
    ),
    goOn,
  );
}

function card(attempt, afterRun) {
  const verdict = h('span', { class: 'verdict' });
  const place = h('div', { class: 'result', 'aria-live': 'polite' });
  const button = h('button', { class: 'quiet', onclick: run }, 'Try');
  const element = h(
    'article',
    { class: 'card attempt', id: `attempt-${attempt.id}` },
    h(
      'div',
      { class: 'attempt-head' },
      h('div', {}, h('h2', {}, attempt.title), h('p', {}, attempt.hope)),
      verdict,
      button,
    ),
    place,
  );

  async function run() {
    button.disabled = true;
    running += 1;
    const result = await attempt.run().catch((error) => ({ failed: error.message }));
    running -= 1;
    results.set(attempt.id, result);
    button.disabled = false;
    show(result);
    afterRun();
  }
  function show(result) {
    const { kind, text } = judge(attempt, result);
    fill(verdict, text).className = `verdict ${kind}`;
    fill(place, result.failed === undefined ? resultView(attempt, result) : h('p', {}, result.failed));
  }

  if (attempt.wait !== undefined) waiting(attempt, button);
  if (results.has(attempt.id)) show(results.get(attempt.id));
  return { attempt, element, button, run };
}

/** The button counts down to the moment at which there is something to try. */
function waiting(attempt, button) {
  const tick = () => {
    const seconds = client.user === undefined ? 0 : attempt.wait();
    button.disabled = seconds > 0;
    fill(button, seconds > 0 ? `in ${clock(seconds)}` : 'Try');
  };
  tick();
  const timer = setInterval(() => {
    tick();
    if (!button.isConnected || !button.disabled) clearInterval(timer);
  }, 500);
}

function judge(attempt, { failed, answer }) {
  if (failed !== undefined) return { kind: 'odd', text: 'Not sent' };
  if (answer.status >= 400 && answer.status < 500) return { kind: 'good', text: `Refused, ${answer.status}` };
  if (answer.status >= 500) return { kind: 'odd', text: `No decision, ${answer.status}` };
  if (attempt.harmless !== undefined) return { kind: 'good', text: 'Ignored' };
  if (attempt.allowed !== undefined && client.can('records:read')) return { kind: 'plain', text: 'Allowed' };
  return { kind: 'bad', text: 'Got in' };
}

function resultView(attempt, { token, changed, differences, request, answer }) {
  const lesson =
    answer.status >= 400 ? attempt.lesson : (attempt.harmless ?? attempt.allowed ?? attempt.lesson);
  return [
    differences ? h('dl', { class: 'differences' }, differences.map(difference)) : null,
    h('div', { class: 'exchange' }, requestView(request, token, changed), answerView(answer)),
    h('p', { class: 'lesson' }, lesson),
  ];
}

function difference([name, before, after]) {
  return h('div', {}, h('dt', {}, name), h('dd', {}, h('del', {}, before), ' ', h('ins', {}, after)));
}

function requestView({ method, path, headers, body }, token, changed) {
  const lines = Object.entries(headers).map(([name, value]) =>
    name === 'authorization' && token !== undefined
      ? h('p', {}, h('b', {}, 'authorization: '), 'Bearer ', tokenParts(token, changed, 48))
      : h('p', {}, h('b', {}, `${name}: `), value),
  );
  const sent = body === undefined ? null : h('p', {}, String(body));
  return h('div', { class: 'wire' }, h('p', { class: 'first' }, `${method} ${path}`), lines, sent);
}

function answerView({ status, challenge, body }) {
  const text = typeof body === 'string' ? body : JSON.stringify(body, null, 1).replace(/\n\s*/g, ' ');
  return h(
    'div',
    { class: 'wire answer' },
    h('p', { class: 'first' }, `${status} ${body.reason ?? body.error ?? ''}`),
    challenge === null ? null : h('p', {}, h('b', {}, 'www-authenticate: '), challenge),
    h('p', {}, text.length > 400 ? `${text.slice(0, 400)} …` : text),
  );
}
