import { h } from './dom.js';

const names = ['header', 'payload', 'signature'];

/**
 * A token in three colours. `changed` lists the parts (0 to 2) that a cheat has touched; `most` is how many characters of a part
 * are shown.
 */
export function tokenParts(token, changed = [], most = Number.POSITIVE_INFINITY) {
  const parts = token.split('.');
  return h(
    'code',
    { class: 'token' },
    parts.map((part, index) => [
      index > 0 ? h('span', { class: 'dot' }, '.') : null,
      h(
        'span',
        {
          class: `part-${index + 1}${changed.includes(index) ? ' changed' : ''}`,
          title: names[index] ?? 'extra part',
        },
        part === '' ? '(empty)' : shortened(part, most),
      ),
    ]),
  );
}

function shortened(part, most) {
  return part.length <= most ? part : `${part.slice(0, most / 2)} … ${part.slice(-most / 2)}`;
}
