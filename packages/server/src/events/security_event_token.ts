// A Security Event Token (RFC 8417) as the Shared Signals Framework 1.0 profiles it: typ secevent+jwt, neither `exp` nor `sub`, one
// event. So it can never be taken for an access token, which has another `typ` and must have both. It is signed when it is
// delivered, always with the current key; everything it says is fixed when the event happens, and so is its `jti`.
import { type SigningKey, signJws } from '@latchkey/core';
import type { SecurityEventRecord } from '../storage/security_events.ts';
import { type EventSubject, eventTypes, isEventType, type SecurityEvent } from './caep.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** What is kept of an event until it is delivered. */
export function contentOf({ subject, details }: SecurityEvent): string {
  return JSON.stringify({ subject, details });
}

/** RFC 9493 and SSF §3: a user is `iss_sub`; a session, or the sessions of a client, `complex`. */
export function subjectIdentifier(subject: EventSubject, issuer: string): JsonObject {
  const user = subject.user === undefined ? {} : { format: 'iss_sub', iss: issuer, sub: subject.user };
  if (subject.session === undefined && subject.application === undefined) return user;
  const opaque = (id: string) => ({ format: 'opaque', id });
  return {
    format: 'complex',
    ...(subject.user === undefined ? {} : { user }),
    ...(subject.session === undefined ? {} : { session: opaque(subject.session) }),
    ...(subject.application === undefined ? {} : { application: opaque(subject.application) }),
  };
}

/** `audience`: the receiver's client id. */
export function signSecurityEventToken(
  event: SecurityEventRecord,
  audience: string,
  issuer: string,
  key: SigningKey,
): string {
  if (!isEventType(event.type)) throw new TypeError(`there is no security event ${event.type}`);
  const { subject, details } = JSON.parse(event.content) as Pick<SecurityEvent, 'subject' | 'details'>;
  const time = Math.floor(event.at / 1000);
  const claims = {
    iss: issuer,
    iat: time,
    jti: event.jti,
    aud: audience,
    txn: event.txn,
    sub_id: subjectIdentifier(subject, issuer),
    events: { [eventTypes[event.type]]: { event_timestamp: time, ...details } },
  };
  return signJws({ typ: 'secevent+jwt' }, JSON.stringify(claims), key);
}
