import { fill, h } from './dom.js';
import { people } from './people.js';
import { client } from './session.js';

const words = {
  invalid_credentials: 'That name and password do not belong together.',
  rate_limited: 'Too many attempts. Please wait a little.',
  unavailable: 'The auth server does not answer. Please try again in a moment.',
};

/** The sign-in view. `farewell` says why somebody finds themselves here. */
export function signInView(main, farewell) {
  const username = h('input', { id: 'username', name: 'username', autocomplete: 'username', required: true });
  username.autocapitalize = 'none';
  username.spellcheck = false;
  const password = h('input', {
    id: 'password',
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const button = h('button', { class: 'primary wide' }, 'Sign in');
  const form = h(
    'form',
    { class: 'card sign-in', onsubmit: submit },
    h('h1', {}, 'Sign in'),
    farewell ? h('p', { class: 'notice' }, farewell) : null,
    h('label', { for: 'username' }, 'User name'),
    username,
    h('label', { for: 'password' }, 'Password'),
    password,
    problem,
    button,
    h(
      'p',
      { class: 'fine' },
      'The passwords of the sample people are printed where ',
      h('code', {}, 'npm start'),
      ' runs.',
    ),
  );

  async function submit(event) {
    event.preventDefault();
    fill(problem);
    button.disabled = true;
    try {
      await client.login(username.value.trim(), password.value);
    } catch (error) {
      fill(problem, words[error.code] ?? error.message);
      password.select();
    } finally {
      button.disabled = false;
    }
  }

  const choose = (person) => () => {
    username.value = person.username;
    password.value = '';
    password.focus();
  };
  fill(main, h('div', { class: 'welcome' }, introduction(choose), form));
  username.focus({ preventScroll: true });
}

function introduction(choose) {
  return h(
    'section',
    { class: 'introduction' },
    h('p', { class: 'eyebrow' }, 'A hospital on Latchkey'),
    h('p', { class: 'headline' }, 'One sign-in. Every request carries its own proof.'),
    h(
      'p',
      { class: 'lead' },
      'After you sign in, each call brings a short-lived signed token. The gateway and both services check it by themselves, ' +
        'without asking anyone. Choose a person and see what the same page looks like through their eyes.',
    ),
    h(
      'ul',
      { class: 'people' },
      people.map((person) =>
        h(
          'li',
          {},
          h(
            'button',
            { type: 'button', class: 'person', onclick: choose(person) },
            avatar(person.username),
            h(
              'span',
              {},
              h('strong', {}, person.username),
              h('small', {}, `${person.role}. ${person.note}.`),
            ),
          ),
        ),
      ),
    ),
  );
}

/** Two letters in a circle whose colour belongs to the name. */
export function avatar(name) {
  const letters = name.split(/[._-]/).map((part) => part[0] ?? '');
  const hue =
    [...name.toLowerCase()].reduce((sum, letter) => (sum * 13 + letter.codePointAt(0)) % 9973, 0) % 6;
  return h(
    'span',
    { class: `avatar hue-${hue}`, 'aria-hidden': 'true' },
    letters.slice(0, 2).join('').toUpperCase(),
  );
}
