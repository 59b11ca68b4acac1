import { during, fill, h, toast } from './dom.js';
import { refusalNotice } from './refusal.js';
import { call, callList, client } from './session.js';
import { avatar } from './sign_in.js';

const kinds = { note: 'Note', diagnosis: 'Diagnosis', prescription: 'Prescription', result: 'Result' };

/** Patients on the left, the records of one on the right. */
export async function patientsView(view, [chosenId]) {
  let patients;
  try {
    patients = await callList('/api/patients');
  } catch (error) {
    return fill(view, heading(), refusalNotice(error, 'records:read', 'GET /api/patients'));
  }
  const chosen = patients.find(({ id }) => id === chosenId) ?? patients[0];
  const list = h(
    'ul',
    { class: 'card list', 'aria-label': 'Patients' },
    patients.map((patient) => h('li', {}, patientLink(patient, patient === chosen))),
  );
  const records = h('section', { class: 'records', 'aria-live': 'polite' });
  fill(view, heading(patients.length), chosen ? h('div', { class: 'split' }, list, records) : nobody());
  if (chosen) await showRecords(records, chosen);
}

function heading(count) {
  const all = client.can('records:read');
  const text =
    count === undefined
      ? ''
      : all
        ? `${count} patients. Your token carries records:read.`
        : 'Only you, because the service compares your sub.';
  return h('div', { class: 'title' }, h('h1', {}, 'Patients'), h('p', {}, text));
}

function nobody() {
  return h('p', { class: 'notice' }, 'No patient here belongs to your account.');
}

function patientLink({ id, name, born }, current) {
  return h(
    'a',
    { class: 'row', href: `#/patients/${id}`, 'aria-current': current ? 'true' : undefined },
    avatar(name.replace(' ', '.')),
    h('span', {}, h('strong', {}, name), h('small', {}, `${id}, born ${new Date(born).getFullYear()}`)),
  );
}

async function showRecords(place, patient) {
  const records = await callList(`/api/patients/${patient.id}/records`).catch((error) => error);
  if (records instanceof Error) {
    return fill(place, refusalNotice(records, 'records:read', `GET /api/patients/${patient.id}/records`));
  }
  const timeline = h('ol', { class: 'timeline' }, records.map(recordItem));
  fill(
    place,
    h('h2', {}, patient.name),
    client.can('records:write') ? writeForm(patient, timeline) : null,
    records.length > 0 ? timeline : h('p', { class: 'fine' }, 'Nothing has been written yet.'),
  );
}

function recordItem({ kind, text, author, written_at }) {
  return h(
    'li',
    { class: 'card record' },
    h(
      'p',
      { class: 'meta' },
      h('span', { class: `chip ${kind}` }, kinds[kind] ?? kind),
      h(
        'time',
        { dateTime: written_at },
        new Date(written_at).toLocaleDateString(undefined, { dateStyle: 'medium' }),
      ),
      h('span', {}, author),
    ),
    h('p', {}, text),
  );
}

function writeForm(patient, timeline) {
  const kind = h('select', { 'aria-label': 'Kind of entry' });
  kind.append(...Object.entries(kinds).map(([value, label]) => h('option', { value }, label)));
  const text = h('textarea', {
    rows: 2,
    maxLength: 4000,
    required: true,
    placeholder: `What is new with ${patient.name}?`,
  });
  text.setAttribute('aria-label', 'Text of the entry');
  const button = h('button', { class: 'primary' }, 'Write');
  const submit = (event) => {
    event.preventDefault();
    return during(button, async () => {
      const body = { kind: kind.value, text: text.value };
      const record = await call(`/api/patients/${patient.id}/records`, { method: 'POST', body });
      timeline.prepend(recordItem(record));
      text.value = '';
      toast('Written, and on the disk.');
    });
  };
  return h(
    'form',
    { class: 'card write', onsubmit: submit },
    text,
    h('div', { class: 'actions' }, kind, button),
  );
}
