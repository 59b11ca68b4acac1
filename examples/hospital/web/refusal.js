import { h } from './dom.js';
import { client } from './session.js';

/** A refusal is not an accident here but what the role means: say so, and show the answer. */
export function refusalNotice(error, permission, request) {
  if (error.status !== 403) return h('p', { class: 'notice' }, error.message);
  const { roles, scope } = client.user;
  return h(
    'div',
    { class: 'card refusal' },
    h('h2', {}, 'Not for this role, and that is right'),
    h(
      'p',
      {},
      'You are signed in as ',
      h('strong', {}, roles.join(', ') || 'nobody in particular'),
      '. This needs ',
      h('code', {}, permission),
      '; your token carries ',
      scope === ''
        ? 'no permission'
        : scope.split(' ').map((name, index) => [index > 0 ? ', ' : '', h('code', {}, name)]),
      '. The page asked all the same, and this was the answer:',
    ),
    h('pre', { class: 'wire' }, `${request}\n→ ${error.status} ${error.code}\n  ${error.message}`),
  );
}
