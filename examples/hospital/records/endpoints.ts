// Who may see and write what. A permission in the token opens all records; without it, a person sees the one patient
// whose `sub` is their own, and gets the same answer for somebody else's patient as for one that does not exist.
import { type AccessTokenClaims, hasPermission, hasRole, TokenError } from '@latchkey/core';
import { notFound } from '../service/http_error.ts';
import type { Endpoint } from '../service/http_service.ts';
import { oneOf, readJsonBody, text } from '../service/json_body.ts';
import { listAnswer, readListPage } from '../service/list_page.ts';
import { type Patient, type RecordStore, recordKinds } from './records.ts';

export function recordEndpoints(store: RecordStore, now: () => number): Endpoint[] {
  return [listPatients(store), listRecords(store), writeRecord(store, now), listNames(store), oneName(store)];
}

function listPatients(store: RecordStore): Endpoint {
  return {
    method: 'GET',
    path: '/api/patients',
    handle({ url, claims }) {
      const page = readListPage(url);
      const everybody = hasPermission(claims, 'records:read');
      if (!everybody && !hasRole(claims, 'patient')) throw forbidden();
      const { items, ...rest } = listAnswer(store.patients(page, everybody ? undefined : claims.sub), page);
      return { body: { items: items.map(publicPatient), ...rest } };
    },
  };
}

function listRecords(store: RecordStore): Endpoint {
  return {
    method: 'GET',
    path: '/api/patients/:id/records',
    handle({ url, params, claims }) {
      const patient = readablePatient(store, params['id'] ?? '', claims);
      const page = readListPage(url);
      return { body: listAnswer(store.records(patient.id, page), page) };
    },
  };
}

function writeRecord(store: RecordStore, now: () => number): Endpoint {
  return {
    method: 'POST',
    path: '/api/patients/:id/records',
    // Sensitive, as at the gateway: not without knowing the revocations of the last seconds.
    requires: { permission: 'records:write', sensitive: true },
    async handle({ request, params, claims }) {
      const patient = store.patient(params['id'] ?? '');
      if (patient === undefined) throw notFound('There is no such patient.');
      const body = await readJsonBody(request, { kind: oneOf(...recordKinds), text: text(4_000) });
      const record = store.write({
        ...body,
        patient_id: patient.id,
        author: claims.preferred_username,
        author_sub: claims.sub,
        written_at: new Date(now()).toISOString(),
      });
      return { status: 201, body: record };
    },
  };
}

/** Names only, for those who book appointments and may see nothing else of a patient. */
function listNames(store: RecordStore): Endpoint {
  return {
    method: 'GET',
    path: '/api/directory',
    requires: { permission: 'appointments:write' },
    handle({ url }) {
      const page = readListPage(url);
      const { items, ...rest } = listAnswer(store.patients(page), page);
      return { body: { items: items.map(({ id, name }) => ({ id, name })), ...rest } };
    },
  };
}

/** Asked by the appointments service, with the token of the user who books. */
function oneName(store: RecordStore): Endpoint {
  return {
    method: 'GET',
    path: '/api/directory/:id',
    requires: { permission: 'appointments:write' },
    handle({ params }) {
      const patient = store.patient(params['id'] ?? '');
      if (patient === undefined) throw notFound('There is no such patient.');
      const { id, name, sub } = patient;
      return { body: { id, name, ...(sub === null ? {} : { sub }) } };
    },
  };
}

function readablePatient(store: RecordStore, id: string, claims: AccessTokenClaims): Patient {
  const patient = store.patient(id);
  if (hasPermission(claims, 'records:read')) {
    if (patient === undefined) throw notFound('There is no such patient.');
    return patient;
  }
  if (patient === undefined || patient.sub !== claims.sub) throw forbidden();
  return patient;
}

/** A patient's `sub` is nobody's business but ours. */
function publicPatient({ id, name, born }: Patient): Omit<Patient, 'sub'> {
  return { id, name, born };
}

function forbidden(): TokenError {
  return new TokenError('insufficient_scope', 'neither the permission nor the own row');
}
