// Elements without a framework: text is always text, so nothing that a server or a person wrote ever becomes markup.

/**
 * An element with properties and children. `class`, `aria-…`, `data-…` and other dashed names are attributes, `on…` are
 * listeners, the rest are properties. Children that are null, undefined or false are left out.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class' || name === 'for' || name === 'role' || name.includes('-'))
      element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...kept(children));
  return element;
}

export function fill(parent, ...children) {
  parent.replaceChildren(...kept(children));
  return parent;
}

function kept(children) {
  return children.flat(3).filter((child) => child !== null && child !== undefined && child !== false);
}

/** A few words at the edge of the screen that go away by themselves. */
export function toast(text, kind = 'good') {
  const place = document.getElementById('toasts');
  const note = h('p', { class: `toast ${kind}` }, text);
  place.append(note);
  setTimeout(() => note.remove(), 6000);
}

/** Runs an action of a button: busy while it runs, and what goes wrong is said. */
export async function during(button, work) {
  button.disabled = true;
  button.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } catch (error) {
    toast(error.message, 'bad');
    return undefined;
  } finally {
    button.disabled = false;
    button.removeAttribute('aria-busy');
  }
}
