// What the admin API answered, for commands: the expected body, or the server's own words as a failure.
import { CommandError } from '../failure.ts';
import { nearest } from '../spelling.ts';
import type { Admin, AdminAnswer, Method } from './admin.ts';

export interface UserView {
  readonly id: string;
  readonly username: string;
  readonly email?: string;
  readonly roles: readonly string[];
  readonly disabled: boolean;
  readonly created_at: string;
}

export interface RoleView {
  readonly name: string;
  readonly permissions: readonly string[];
  readonly description?: string;
}

export interface SessionView {
  readonly id: string;
  readonly user_id: string;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
  readonly ip: string;
  readonly user_agent: string;
}

export interface KeyView {
  readonly kid: string;
  readonly alg: string;
  readonly state: 'next' | 'current' | 'previous';
  readonly created_at: string;
  readonly activates_at?: string;
  readonly retires_at?: string;
}

export interface ClientView {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
}

/** With the secret, which is in this answer and nowhere else. */
export interface NewClientView extends ClientView {
  readonly secret: string;
}

/** One process of the fleet. */
export interface VerifierView {
  readonly name: string;
  readonly client_id: string;
  readonly instance: string;
  readonly version: string;
  readonly connected: boolean;
  readonly connected_at: string;
  readonly seen_at: string;
  /** Absent before its first acknowledgement, like `seq` and `lag`. */
  readonly epoch?: string;
  /** What it has applied. */
  readonly seq?: number;
  /** How many signals that is behind. */
  readonly lag?: number;
  readonly safe_at: string;
}

/** @throws CommandError with the server's description when the status is another */
export function expectStatus(answer: AdminAnswer, statuses: readonly number[], about: string): void {
  if (statuses.includes(answer.status)) return;
  const body = answer.body as { error?: string; error_description?: string; reason?: string } | undefined;
  const words = body?.error_description ?? body?.error ?? `the auth server answered ${answer.status}`;
  throw new CommandError(
    `${about}: ${lowerFirst(words.replace(/\.$/, ''))}${body?.reason === undefined ? '' : ` (${body.reason})`}`,
  );
}

/** Sends and returns the body of a 2xx answer. */
export async function call<T>(
  admin: Admin,
  method: Method,
  path: string,
  about: string,
  body?: unknown,
): Promise<T> {
  const answer = await admin.send(method, path, body);
  expectStatus(answer, [200, 201, 202, 204], about);
  return answer.body as T;
}

/** Every item of a list, page by page. */
export async function collect<T>(admin: Admin, path: string, about: string): Promise<T[]> {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const query = `${path.includes('?') ? '&' : '?'}limit=100${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`;
    const page = await call<{ items: T[]; next?: string }>(admin, 'GET', path + query, about);
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** A user by name or id. @throws CommandError that names the user who was probably meant */
export async function findUser(admin: Admin, wanted: string): Promise<UserView> {
  const name = wanted.toLowerCase();
  const beginning = await collect<UserView>(admin, usersFrom(name), 'users');
  const found = beginning.find((user) => user.username === name);
  if (found !== undefined) return found;
  const byId = await admin.send('GET', `/auth/admin/users/${encodeURIComponent(wanted)}`);
  if (byId.status === 200) return byId.body as UserView;
  const alike = await collect<UserView>(admin, usersFrom(name.slice(0, 1)), 'users');
  const meant = nearest(
    name,
    alike.map((user) => user.username),
  );
  throw new CommandError(`there is no user ${wanted}`, {
    hint: meant === undefined ? 'latchkey user list shows them' : `did you mean ${meant}?`,
  });
}

function usersFrom(beginning: string): string {
  return `/auth/admin/users?query=${encodeURIComponent(beginning)}`;
}
