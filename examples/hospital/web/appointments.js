import { during, fill, h, toast } from './dom.js';
import { refusalNotice } from './refusal.js';
import { call, callList, client } from './session.js';

/** Appointments by day, and for those who may, a form to book one. */
export async function appointmentsView(view) {
  let appointments;
  try {
    appointments = await callList('/api/appointments');
  } catch (error) {
    return fill(view, heading(), refusalNotice(error, 'appointments:read', 'GET /api/appointments'));
  }
  const days = h('div', { class: 'days' }, dayCards(appointments));
  const reload = async () => fill(days, dayCards(await callList('/api/appointments')));
  const form = client.can('appointments:write') ? await bookingForm(reload) : null;
  fill(view, heading(), form === null ? days : h('div', { class: 'split wide-left' }, days, form));
}

function heading() {
  const text = client.can('appointments:read')
    ? 'All of them. Your token carries appointments:read.'
    : 'Yours, and nobody else’s.';
  return h('div', { class: 'title' }, h('h1', {}, 'Appointments'), h('p', {}, text));
}

function dayCards(appointments) {
  if (appointments.length === 0) return h('p', { class: 'notice' }, 'There are none.');
  const day = ({ starts_at }) =>
    new Date(starts_at).toLocaleDateString(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
  return Object.entries(Object.groupBy(appointments, day)).map(([name, items]) =>
    h('section', { class: 'card day' }, h('h2', {}, name), h('ul', {}, items.map(appointmentItem))),
  );
}

function appointmentItem({ starts_at, minutes, patient_name, reason, booked_by }) {
  const time = new Date(starts_at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  return h(
    'li',
    {},
    h('time', { dateTime: starts_at }, time),
    h('span', {}, h('strong', {}, patient_name), h('small', {}, `${reason}, ${minutes} minutes`)),
    h('small', { class: 'by' }, `by ${booked_by}`),
  );
}

async function bookingForm(reload) {
  const patients = await callList('/api/directory').catch(() => []);
  const patient = h('select', { id: 'patient', required: true });
  patient.append(...patients.map(({ id, name }) => h('option', { value: id }, name)));
  const when = h('input', {
    id: 'when',
    type: 'datetime-local',
    required: true,
    step: 300,
    value: nextMorning(),
  });
  const minutes = h('select', { id: 'minutes' });
  minutes.append(
    ...[15, 30, 45, 60].map((value) => h('option', { value, selected: value === 30 }, `${value} minutes`)),
  );
  const reason = h('input', { id: 'reason', required: true, maxLength: 200, placeholder: 'Check-up' });
  const button = h('button', { class: 'primary wide' }, 'Book');
  const submit = (event) => {
    event.preventDefault();
    return during(button, async () => {
      const starts = new Date(when.value).toISOString();
      const body = {
        patient_id: patient.value,
        starts_at: starts,
        minutes: Number(minutes.value),
        reason: reason.value,
      };
      const booked = await call('/api/appointments', { method: 'POST', body });
      toast(`Booked for ${booked.patient_name}.`);
      reason.value = '';
      await reload();
    });
  };
  const field = (id, label, control) => [h('label', { for: id }, label), control];
  return h(
    'form',
    { class: 'card booking', onsubmit: submit },
    h('h2', {}, 'Book an appointment'),
    field('patient', 'Patient', patient),
    field('when', 'When', when),
    field('minutes', 'How long', minutes),
    field('reason', 'Why', reason),
    button,
    h(
      'p',
      { class: 'fine' },
      'The appointments service knows no patients. It asks the records service for the name, with your token, and the records service checks that token again.',
    ),
  );
}

function nextMorning() {
  const day = new Date(Date.now() + 86_400_000);
  const part = (number) => String(number).padStart(2, '0');
  return `${day.getFullYear()}-${part(day.getMonth() + 1)}-${part(day.getDate())}T10:00`;
}
