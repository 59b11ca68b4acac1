// Who may see and book appointments: staff by permission, patients their own, decided by comparing `sub`.
import { hasPermission, hasRole, TokenError } from '@latchkey/core';
import { badRequest } from '../service/http_error.ts';
import type { Call, Endpoint } from '../service/http_service.ts';
import { integer, moment, readJsonBody, text } from '../service/json_body.ts';
import { listAnswer, readListPage } from '../service/list_page.ts';
import type { AppointmentStore } from './appointments.ts';
import type { Directory } from './directory.ts';

export function appointmentEndpoints(store: AppointmentStore, directory: Directory): Endpoint[] {
  return [
    {
      method: 'GET',
      path: '/api/appointments',
      handle({ url, claims }) {
        const page = readListPage(url);
        const everybody = hasPermission(claims, 'appointments:read');
        if (!everybody && !hasRole(claims, 'patient')) throw forbidden();
        return { body: listAnswer(store.list(page, everybody ? undefined : claims.sub), page) };
      },
    },
    {
      method: 'POST',
      path: '/api/appointments',
      requires: { permission: 'appointments:write' },
      handle: (call) => book(store, directory, call),
    },
  ];
}

async function book(store: AppointmentStore, directory: Directory, call: Call) {
  const { request, claims } = call;
  const { patient_id, ...entry } = await readJsonBody(request, {
    patient_id: text(64),
    starts_at: moment(),
    minutes: integer(5, 240, 30),
    reason: text(200),
  });
  if (!/^[\w-]+$/.test(patient_id)) throw badRequest('"patient_id" is not an id of a patient.');
  const patient = await directory(patient_id, call);
  const appointment = store.book({
    ...entry,
    patient_id: patient.id,
    patient_name: patient.name,
    patient_sub: patient.sub,
    booked_by: claims.preferred_username,
    booked_by_sub: claims.sub,
  });
  return { status: 201, body: appointment };
}

function forbidden(): TokenError {
  return new TokenError('insufficient_scope', 'neither the permission nor the role of a patient');
}
