// Records as they are shown.
import type { SessionRecord } from '../storage/sessions.ts';
import type { User } from '../storage/users.ts';
import { isoTime } from './schemas.ts';

export function userAnswer(user: User) {
  return {
    id: user.id,
    username: user.username,
    ...(user.email === null ? {} : { email: user.email }),
    roles: [...user.roles],
    disabled: user.disabled,
    created_at: isoTime(user.createdAt),
  };
}

export function sessionAnswer(session: SessionRecord, currentId?: string) {
  return {
    id: session.id,
    user_id: session.userId,
    created_at: isoTime(session.createdAt),
    last_used_at: isoTime(session.lastUsedAt),
    expires_at: isoTime(session.expiresAt),
    ip: session.ip,
    user_agent: session.userAgent,
    ...(session.id === currentId ? { current: true } : {}),
  };
}
