// The shapes that several endpoints share, in and out (docs/architecture.md, "The wire contract").
import { type Static, type TSchema, Type } from './schema.ts';

/** Refuses unknown members. */
export function closed<T extends Record<string, TSchema>>(properties: T) {
  return Type.Object(properties, { additionalProperties: false });
}

export const errorSchema = Type.Object(
  {
    error: Type.String(),
    error_description: Type.String(),
    reason: Type.Optional(Type.String()),
    request_id: Type.String(),
  },
  { title: 'Error' },
);

export const tokenSchema = Type.Object(
  {
    access_token: Type.String(),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'seconds' }),
    refresh_token: Type.Optional(Type.String({ description: 'absent in cookie mode' })),
    refresh_expires_in: Type.Integer({ description: 'seconds until the session ends' }),
    session_id: Type.String(),
    rotated: Type.Optional(
      Type.Boolean({
        description: 'a refresh: false when the refresh token stays, and its Idempotency-Key with it',
      }),
    ),
    device: Type.Optional(
      Type.String({ description: 'proof of a known device, for the next login; absent in cookie mode' }),
    ),
  },
  { title: 'Tokens' },
);

export const userSchema = Type.Object(
  {
    id: Type.String(),
    username: Type.String(),
    email: Type.Optional(Type.String()),
    roles: Type.Array(Type.String()),
    disabled: Type.Boolean(),
    created_at: Type.String({ format: 'date-time' }),
  },
  { title: 'User' },
);

export const sessionSchema = Type.Object(
  {
    id: Type.String(),
    user_id: Type.String(),
    created_at: Type.String({ format: 'date-time' }),
    last_used_at: Type.String({ format: 'date-time' }),
    expires_at: Type.String({ format: 'date-time' }),
    ip: Type.String(),
    user_agent: Type.String(),
    current: Type.Optional(Type.Boolean()),
  },
  { title: 'Session' },
);

/** A page of things: `next` is what to pass as `after` for the following page. */
export function pageOf<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), next: Type.Optional(Type.String()) });
}

export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 })),
  after: Type.Optional(Type.String({ maxLength: 128 })),
};

export const passwordField = Type.String({
  minLength: 1,
  maxLength: 4096,
  description: 'up to 1024 characters',
});
/** A name of a user, role or permission, before it is folded; rules/names.ts has the last word. */
export const nameField = Type.String({ minLength: 1, maxLength: 64 });
export const emailField = Type.String({ minLength: 3, maxLength: 254 });
export const loginField = Type.String({ minLength: 1, maxLength: 254 });

export type UserAnswer = Static<typeof userSchema>;

export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** One page of `limit + 1` read items: cuts the last off and names it as the next page's beginning. */
export function page<T, A>(
  items: readonly T[],
  limit: number,
  cursor: (item: T) => string,
  answer: (item: T) => A,
) {
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(answer),
    ...(items.length > limit && last !== undefined ? { next: cursor(last) } : {}),
  };
}
