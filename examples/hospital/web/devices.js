import { during, fill, h, toast } from './dom.js';
import { call, callList, client } from './session.js';

/** The person's own sessions: where they are signed in, and how to end that. */
export async function devicesView(view) {
  const sessions = await callList('/auth/me/sessions').catch((error) => error);
  const title = h(
    'div',
    { class: 'title' },
    h('h1', {}, 'Devices'),
    h('p', {}, 'Each sign-in is one session. End it here and its tokens are refused within a second.'),
  );
  if (sessions instanceof Error) return fill(view, title, h('p', { class: 'notice' }, sessions.message));
  const everywhere = h(
    'button',
    { class: 'danger', onclick: () => during(everywhere, () => client.logoutAll()) },
    'Sign out everywhere',
  );
  const here = h(
    'button',
    { class: 'quiet', onclick: () => during(here, () => client.logout()) },
    'Sign out here',
  );
  fill(
    view,
    title,
    h(
      'ul',
      { class: 'card list devices' },
      sessions.map((session) => deviceItem(session, () => devicesView(view))),
    ),
    h('div', { class: 'actions' }, here, everywhere),
  );
}

function deviceItem({ id, created_at, last_used_at, ip, user_agent, current }, reload) {
  const end = async () => {
    await call(`/auth/me/sessions/${id}`, { method: 'DELETE' });
    toast('Ended. Its tokens are dead at every gateway and service.');
    await reload();
  };
  const button = h('button', { class: 'quiet', onclick: () => during(button, end) }, 'End');
  const mine = current === true || id === client.user?.sid;
  return h(
    'li',
    { class: 'row' },
    h(
      'span',
      {},
      h('strong', {}, device(user_agent), mine ? h('span', { class: 'chip' }, 'this one') : null),
      h(
        'small',
        {},
        `${ip ?? 'unknown address'}, since ${moment(created_at)}, last used ${moment(last_used_at)}`,
      ),
      h('small', { class: 'mono' }, id),
    ),
    mine ? null : button,
  );
}

function moment(text) {
  return new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

function device(agent = '') {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari|curl|node)/.exec(agent)?.[1] ?? 'Unknown program';
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1];
  const name = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser;
  return system === undefined ? name : `${name} on ${system}`;
}
