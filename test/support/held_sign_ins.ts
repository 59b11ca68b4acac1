// Sign-in, refresh and user administration as server.ts composes them, on a real database and real hashing, with one
// addition: a sign-in can be held at the moment between the check of its password and the making of its session.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAttemptGuard } from '../../packages/server/src/grants/attempts.ts';
import { createTokenIssuer } from '../../packages/server/src/grants/issue.ts';
import { createPasswordSetter } from '../../packages/server/src/grants/new_password.ts';
import { createPasswordGrant, type SignedIn } from '../../packages/server/src/grants/password.ts';
import { createRefreshGrant } from '../../packages/server/src/grants/refresh_token.ts';
import { createRoleTableCache } from '../../packages/server/src/grants/role_table.ts';
import { createSessionEnder } from '../../packages/server/src/grants/sessions.ts';
import { createUserAdmin, type UserAdmin } from '../../packages/server/src/grants/user_admin.ts';
import { createMasterKey } from '../../packages/server/src/keys/master_key.ts';
import { openRefreshKeyring } from '../../packages/server/src/keys/refresh_keyring.ts';
import { openSigningKeyring } from '../../packages/server/src/keys/signing_keyring.ts';
import { settingsFrom } from '../../packages/server/src/options.ts';
import {
  createHasher,
  type Hashing,
  type PasswordHasher,
} from '../../packages/server/src/passwords/hasher.ts';
import { createSignalPublisher } from '../../packages/server/src/signals/publisher.ts';
import type { Database } from '../../packages/server/src/storage/database.ts';
import { migrate } from '../../packages/server/src/storage/schema.ts';
import { openSqlite } from '../../packages/server/src/storage/sqlite.ts';
import { testIssuer, userPassword } from './auth_server.ts';

export const origin = { actor: 'operator', ip: '192.0.2.1', requestId: 'test' };
export const operator = { kind: 'operator' } as const;
const many = 1_000_000;

export interface HeldSignIns {
  readonly database: Database;
  readonly userAdmin: UserAdmin;
  readonly sessions: ReturnType<typeof createSessionEnder>;
  signIn(username: string): Promise<SignedIn>;
  refresh(refreshToken: string): Promise<unknown>;
  /** From now on sign-ins stop after their password was found right; `arrived` of them wait. */
  hold(): void;
  readonly arrived: number;
  release(): void;
  close(): Promise<void>;
}

/** Lets a checked password through, or keeps it at the door. */
function createDoor(real: PasswordHasher) {
  let opened: Promise<void> = Promise.resolve();
  let open = (): void => {};
  const door = {
    arrived: 0,
    hold() {
      door.arrived = 0;
      opened = new Promise((resolve) => {
        open = resolve;
      });
    },
    release: () => open(),
    admit: <T>(work: (hashing: Hashing) => Promise<T>) =>
      real.admit((place) =>
        work({
          ...place,
          async verify(hash, password) {
            const verified = await place.verify(hash, password);
            door.arrived += 1;
            await opened;
            return verified;
          },
        }),
      ),
  };
  return door;
}

export async function openHeldSignIns(): Promise<HeldSignIns> {
  const directory = mkdtempSync(join(tmpdir(), 'lk-held-'));
  const settings = settingsFrom({
    issuer: testIssuer,
    dataDir: directory,
    limits: { attemptsPerAccount: many, attemptsPerAddress: many, attemptsPerAccountAndAddress: many },
    passwords: { queue: 1000 },
  });
  const database = openSqlite({ file: join(directory, 'held.db'), now: settings.now });
  await migrate(database);
  const masterKey = createMasterKey(randomBytes(32));
  const longest = async () => settings.accessTokenLife;
  const signals = createSignalPublisher(longest, () => {});
  const policy = { alg: settings.algorithm, every: settings.keyRotation };
  const keyring = { database, masterKey, signals, policy, longestTokenLife: longest };
  const signingKeys = await openSigningKeyring(keyring, origin);
  const refreshKeys = await openRefreshKeyring(database, masterKey, {
    every: settings.keyRotation,
    sessionMax: settings.sessionMax,
  });
  const real = createHasher(settings.passwords);
  const door = createDoor(real);
  const hasher = Object.assign(Object.create(real) as PasswordHasher, { admit: door.admit });
  const issuer = createTokenIssuer({
    ...settings,
    signingKeys,
    refreshKeys,
    roleTable: createRoleTableCache(database),
  });
  const sessions = createSessionEnder(database, signals);
  const setPassword = createPasswordSetter({ hasher, minLength: settings.passwords.minLength });
  const attempts = createAttemptGuard(database, settings.attemptLimits);
  const grant = createPasswordGrant({
    database,
    hasher,
    attempts,
    issuer,
    refreshKeys,
    sessionMax: settings.sessionMax,
  });
  const refresh = createRefreshGrant({
    database,
    refreshKeys,
    issuer,
    signals,
    settings: { grace: settings.refreshGrace, idle: settings.sessionIdle },
    checkAudience: async () => {},
    limit: () => {},
    onRace: () => {},
  });
  return {
    database,
    sessions,
    userAdmin: createUserAdmin({ database, signals, sessions, setPassword }),
    signIn: (username) =>
      grant(
        {
          username,
          password: userPassword,
          clientId: 'latchkey',
          audience: settings.audience,
          device: undefined,
          userAgent: '',
        },
        origin,
      ),
    refresh: (refreshToken) =>
      refresh({ refreshToken, idempotencyKey: undefined, clientId: 'latchkey', audience: undefined }, origin),
    hold: door.hold,
    get arrived() {
      return door.arrived;
    },
    release: door.release,
    async close() {
      real.close();
      await database.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** What may be done to a user while a sign-in of theirs is on its way. */
export const bans: Readonly<Record<string, (held: HeldSignIns, userId: string) => Promise<unknown>>> = {
  disable: ({ userAdmin }, id) => userAdmin.update(id, { disabled: true }, operator, origin),
  'disable and enable': async ({ userAdmin }, id) => {
    await userAdmin.update(id, { disabled: true }, operator, origin);
    await userAdmin.update(id, { disabled: false }, operator, origin);
  },
  'end all sessions': ({ sessions }, id) => sessions.endAll(id, 'ended_by_administrator', origin),
  'set a password': ({ userAdmin }, id) => userAdmin.setPassword(id, 'another quiet brook', operator, origin),
  delete: ({ userAdmin }, id) => userAdmin.remove(id, operator, origin),
};

/** Holds `count` sign-ins of one user, bans the user, lets go: how many of them can refresh afterwards, and how many were refused. */
export async function banWhileHeld(
  held: HeldSignIns,
  username: string,
  count: number,
  ban: (held: HeldSignIns, userId: string) => Promise<unknown>,
): Promise<{ readonly refused: number; readonly refreshed: number; readonly sessions: number }> {
  const user = await held.userAdmin.create({ username, password: userPassword, roles: [] }, operator, origin);
  held.hold();
  const flights = Promise.allSettled(Array.from({ length: count }, () => held.signIn(username)));
  let landedEarly = false;
  void flights.then(() => {
    landedEarly = true;
  });
  while (held.arrived < count) {
    if (landedEarly) throw new Error('a sign-in never came to the door');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await ban(held, user.id);
  held.release();
  const landed = await flights;
  const tokens = landed.flatMap((result) =>
    result.status === 'fulfilled' ? [result.value.refreshToken] : [],
  );
  const refreshes = await Promise.allSettled(tokens.map((token) => held.refresh(token)));
  const rows = await held.database.one<{ n: number }>(
    'SELECT count(*) AS n FROM sessions WHERE user_id = ? AND ended_at IS NULL',
    user.id,
  );
  return {
    refused: landed.length - tokens.length,
    refreshed: refreshes.filter(({ status }) => status === 'fulfilled').length,
    sessions: rows?.n ?? 0,
  };
}
