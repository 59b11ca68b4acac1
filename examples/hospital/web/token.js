import { fill, h } from './dom.js';
import { decode } from './jwt.js';
import { client, lifeLeft } from './session.js';
import { tokenParts } from './token_parts.js';

const meanings = {
  alg: 'The signature algorithm. A verifier accepts it only if the key itself is for exactly this one.',
  kid: 'Which of the issuer’s keys signed. Found in the published key set, never fetched from anywhere else.',
  typ: 'What kind of token this is (RFC 9068). A token of another kind is refused here.',
  iss: 'Who signed it.',
  sub: 'Who you are: a random id that never changes and is never given to anybody else. Services compare this one.',
  aud: 'Whom it is for. A service refuses tokens that are for somebody else.',
  exp: 'When it ends. The client fetches a new one before that.',
  iat: 'When it was made.',
  jti: 'This token’s own id, by which it alone can be revoked.',
  sid: 'The session: one sign-in on one device. Signing out revokes this.',
  client_id: 'The application you signed in with.',
  auth_time: 'When you last typed your password.',
  preferred_username: 'Your name, for people to read. No decision hangs on it.',
  roles: 'What you are.',
  scope: 'What that lets you do: the permissions, as the services check them.',
  ver: 'The version of your claims. When your roles change it rises, and older tokens are told to refresh.',
  rver: 'The version of the role table.',
};

/** The person's own token, taken apart. */
export function tokenView(view) {
  const { header, claims } = decode(client.accessToken);
  const seconds = h('strong', { class: 'count' });
  const bar = h('progress', { max: 1, class: 'life' });
  bar.setAttribute('aria-label', 'Life left');
  const state = h('p', {});
  const tick = () => {
    const left = lifeLeft();
    bar.value = left.share;
    fill(seconds, clock(left.seconds));
    fill(
      state,
      left.seconds > 0
        ? 'left. Then it is worth nothing, to you or to a thief.'
        : 'Expired. Your next action fetches a new one, and you will not notice.',
    );
  };
  tick();
  const timer = setInterval(() => (bar.isConnected ? tick() : clearInterval(timer)), 500);
  const renew = h('button', { class: 'quiet', onclick: () => client.refresh() }, 'Fetch a new one now');
  fill(
    view,
    h(
      'div',
      { class: 'title' },
      h('h1', {}, 'My token'),
      h(
        'p',
        {},
        'It is signed, not encrypted: whoever holds it can read it, and nobody can change it. It lives in this page’s memory only.',
      ),
    ),
    h('section', { class: 'card life-card' }, h('div', {}, seconds, state), bar, renew),
    h(
      'section',
      { class: 'card' },
      h('h2', {}, 'As it travels'),
      h('div', { class: 'token-box' }, tokenParts(client.accessToken)),
      legend(),
    ),
    h(
      'div',
      { class: 'split token-split' },
      claimsCard('Header', 'part-1', header),
      claimsCard('Payload', 'part-2', claims),
    ),
    h(
      'section',
      { class: 'card' },
      h('h2', { class: 'part-3' }, 'Signature'),
      h(
        'p',
        {},
        `Made with the issuer’s private key over the two parts before it, byte for byte (${header.alg}). Every gateway and service checks it with the public key. Change one letter anywhere, and it no longer fits: `,
        h('a', { href: '#/cheat' }, 'try it'),
        '.',
      ),
    ),
  );
}

function legend() {
  const item = (part, text) =>
    h('li', {}, h('span', { class: `swatch ${part}`, 'aria-hidden': 'true' }), text);
  return h(
    'ul',
    { class: 'legend' },
    item('part-1', 'header'),
    item('part-2', 'payload'),
    item('part-3', 'signature'),
  );
}

function claimsCard(title, part, values) {
  const rows = Object.entries(values).map(([name, value]) =>
    h(
      'div',
      { class: 'claim' },
      h('dt', {}, h('code', {}, name)),
      h(
        'dd',
        {},
        h('span', { class: 'value' }, readable(name, value)),
        h('small', {}, meanings[name] ?? 'A claim of this application’s own.'),
      ),
    ),
  );
  return h('section', { class: 'card' }, h('h2', { class: part }, title), h('dl', { class: 'claims' }, rows));
}

function readable(name, value) {
  if (['exp', 'iat', 'auth_time', 'nbf'].includes(name))
    return `${value} (${new Date(value * 1000).toLocaleTimeString()})`;
  if (name === 'scope') return value === '' ? 'none' : value.split(' ').join(', ');
  return Array.isArray(value) ? value.join(', ') : String(value);
}

export function clock(seconds) {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
