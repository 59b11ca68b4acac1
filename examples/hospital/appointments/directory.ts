// One service asking another in the user's name: the appointments service knows no patients, so it asks the records service,
// and it asks with the user's own token. The records service verifies that token again and decides by the user's permissions;
// no service here has powers of its own that a user could borrow.
import { HttpError } from '../service/http_error.ts';
import type { Call } from '../service/http_service.ts';

export interface DirectoryEntry {
  readonly id: string;
  readonly name: string;
  readonly sub?: string;
}

export type Directory = (
  patientId: string,
  call: Pick<Call, 'token' | 'requestId'>,
) => Promise<DirectoryEntry>;

/** Milliseconds. */
const timeLimit = 3_000;

/** @throws HttpError the records service's own refusal, or 503 when it does not answer */
export function createDirectory(
  recordsUrl: string,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Directory {
  return async (patientId, { token, requestId }) => {
    let response: Response;
    let body: Record<string, unknown>;
    try {
      response = await fetch(new URL(`/api/directory/${encodeURIComponent(patientId)}`, recordsUrl), {
        headers: { authorization: `Bearer ${token}`, 'x-request-id': requestId },
        redirect: 'error',
        signal: AbortSignal.timeout(timeLimit),
      });
      body = (await response.json()) as Record<string, unknown>;
    } catch {
      throw unavailable();
    }
    if (response.ok) return body as unknown as DirectoryEntry;
    if (response.status >= 500) throw unavailable();
    throw refusal(response, body);
  };
}

/** What the records service said about the user's token is what the user must hear: `stale`, say, so that it refreshes. */
function refusal(
  response: Response,
  { error, error_description, reason }: Record<string, unknown>,
): HttpError {
  const challenge = response.headers.get('www-authenticate');
  return new HttpError(response.status, String(error), String(error_description), {
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(challenge === null ? {} : { headers: { 'www-authenticate': challenge } }),
  });
}

function unavailable(): HttpError {
  return new HttpError(503, 'unavailable', 'The records service does not answer.', {
    headers: { 'retry-after': '2' },
  });
}
