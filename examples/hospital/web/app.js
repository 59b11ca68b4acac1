// The page: which view is shown, and the bar above it. The address after # names the view; the token never stands there.
import { appointmentsView } from './appointments.js';
import { cheating, cheatView } from './cheat.js';
import { devicesView } from './devices.js';
import { during, fill, h, toast } from './dom.js';
import { patientsView } from './patients.js';
import { client, lifeLeft, onRolesChange } from './session.js';
import { avatar, signInView } from './sign_in.js';
import { clock, tokenView } from './token.js';

const main = document.getElementById('main');
const nav = document.getElementById('nav');
const who = document.getElementById('who');

const views = {
  patients: { label: 'Patients', show: patientsView },
  appointments: { label: 'Appointments', show: appointmentsView },
  token: { label: 'My token', show: tokenView },
  cheat: { label: 'Try to cheat', show: cheatView },
  devices: { label: 'Devices', show: devicesView },
};

const farewells = {
  ended: 'This session was ended.',
  disabled: 'This account is disabled.',
  idle: 'You were away for long, so the session ended.',
  expired: 'The session reached its age limit.',
  reuse:
    'An old copy of your session was used somewhere, so it was ended everywhere. If that was not you, change your password.',
  state_lost: 'The server was restored from a backup. Please sign in again.',
};

let farewell;
let started = false;

function currentView() {
  const [, name, ...rest] = location.hash.split('/');
  return { name: name in views ? name : 'patients', rest };
}

/** Counts what was asked to be shown: an answer that comes late must not overwrite what came after it. */
let turn = 0;

/** Whether somebody has typed into the view: then it is not drawn anew under their hands. */
let typed = false;
main.addEventListener('input', () => {
  typed = true;
});

async function render() {
  turn += 1;
  typed = false;
  const mine = turn;
  const signedIn = client.user !== undefined;
  bar(signedIn);
  if (!signedIn) {
    document.title = 'Larkfield Hospital';
    return signInView(main, farewell);
  }
  const { name, rest } = currentView();
  document.title = `${views[name].label}, Larkfield Hospital`;
  const place = h('div', { class: 'view' });
  await views[name].show(place, rest);
  if (mine === turn) fill(main, place);
}

function bar(signedIn) {
  nav.hidden = who.hidden = !signedIn;
  if (!signedIn) return fill(nav) && fill(who);
  const { name } = currentView();
  fill(
    nav,
    Object.entries(views).map(([key, { label }]) =>
      h('a', { href: `#/${key}`, 'aria-current': key === name ? 'page' : undefined }, label),
    ),
  );
  const { preferred_username, roles } = client.user;
  const leave = h(
    'button',
    { class: 'quiet', onclick: () => during(leave, () => client.logout()) },
    'Sign out',
  );
  const life = h('a', { class: 'life-chip', href: '#/token', title: 'Life left in your access token' });
  const tick = () => fill(life, clock(lifeLeft().seconds));
  tick();
  const timer = setInterval(() => (life.isConnected ? tick() : clearInterval(timer)), 1000);
  fill(
    who,
    life,
    avatar(preferred_username),
    h('span', { class: 'name' }, h('strong', {}, preferred_username), h('small', {}, roles.join(', '))),
    leave,
  );
}

client.onChange(({ cause, reason }) => {
  if (!started) return;
  if (cause === 'refreshed') {
    bar(true);
    if (currentView().name === 'token') render();
    return;
  }
  farewell = cause === 'ended' ? (farewells[reason] ?? 'Please sign in again.') : undefined;
  // The last attempt signs out itself: its result stays on the screen until the person goes on.
  if (cause === 'signed_out' && cheating()) bar(false);
  else render();
});

// A role was given or taken away while the page was open. The client has refreshed by then, and nobody signs in again.
onRolesChange(({ roles }) => {
  toast(`Your roles have changed. You are now ${roles.join(', ') || 'without a role'}.`);
  if (!typed && currentView().name !== 'cheat') render();
});

addEventListener('hashchange', () => {
  render().then(() => main.focus({ preventScroll: true }));
});

await client.resume().catch(() => {
  farewell = 'The auth server does not answer. Please try again in a moment.';
});
started = true;
render();
