// The one composition root: it alone knows every part. Everything below receives the few things it uses, by name.
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import pino from 'pino';
import { allEndpoints } from './endpoints/all.ts';
import { createAudiences } from './endpoints/audiences.ts';
import { openSecurityEvents } from './events/security_events.ts';
import { createAttemptGuard } from './grants/attempts.ts';
import { createClientAdmin } from './grants/client_admin.ts';
import { type FirstAdmin, type FirstStartOptions, prepareFirstStart } from './grants/first_start.ts';
import { createTokenIssuer } from './grants/issue.ts';
import { createPasswordChange, createPasswordSetter } from './grants/new_password.ts';
import { createPasswordGrant } from './grants/password.ts';
import { createRefreshLimit } from './grants/refresh_limit.ts';
import { createRefreshGrant } from './grants/refresh_token.ts';
import { createRegistration } from './grants/registration.ts';
import { createTokenRevocation } from './grants/revocation.ts';
import { createRoleAdmin } from './grants/role_admin.ts';
import { createRoleTableCache } from './grants/role_table.ts';
import { createSessionEnder } from './grants/sessions.ts';
import { createUserAdmin } from './grants/user_admin.ts';
import { createApp, registerEndpoints } from './http/app.ts';
import { createAuthenticator } from './http/caller.ts';
import { createInternalListener, keepInside } from './http/internal.ts';
import { closeServer, createOperatorSocket, listenOn, urlOf } from './http/listeners.ts';
import { countFailures, countOutcomes, createMetrics } from './http/metrics.ts';
import { checkMasterKey, loadMasterKey } from './keys/master_key.ts';
import { openRefreshKeyring } from './keys/refresh_keyring.ts';
import { openSigningKeyring } from './keys/signing_keyring.ts';
import { type AuthServerOptions, type Settings, settingsFrom } from './options.ts';
import { createHasher, type PasswordHasher } from './passwords/hasher.ts';
import { createFleet } from './signals/fleet.ts';
import { createSignalHub, type SignalHub } from './signals/hub.ts';
import { createSignalPublisher } from './signals/publisher.ts';
import { createReceipts } from './signals/receipts.ts';
import { createSnapshots } from './signals/snapshot.ts';
import { createTokenLife } from './signals/token_life.ts';
import type { Origin } from './storage/audit.ts';
import { lockDataDir } from './storage/data_dir.ts';
import type { Database } from './storage/database.ts';
import { readMeta, writeMeta } from './storage/meta.ts';
import { migrate } from './storage/schema.ts';
import { openSqlite } from './storage/sqlite.ts';
import { countUsers } from './storage/users.ts';
import { startUpkeep } from './upkeep.ts';

export interface Listening {
  /** The public API's own address, without TLS: what a gateway forwards to. */
  readonly address?: string;
  readonly internal?: string;
  readonly socket?: string;
}

export interface AuthServer {
  /** Opens the listeners that the options name. */
  listen(): Promise<Listening>;
  /** Answers what is in flight, commits, and lets go of the data directory. */
  close(): Promise<void>;
  /** Only at the first start, and only when no password was given: shown once, stored nowhere. */
  readonly firstAdmin: FirstAdmin | undefined;
}

/** Where the signals are read; the JWK Set is there too when they are kept inside, so that a verifier needs one address. */
const signalPaths = ['/auth/signals', '/auth/signals/snapshot', '/auth/signals/applied'];
const jwksPath = '/auth/.well-known/jwks.json';

const systemOrigin: Origin = { actor: 'system', ip: 'local', requestId: 'system' };

/** Opens the data directory and prepares everything. Throws ConfigurationError, DataDirLocked, MasterKeyError. */
export async function createAuthServer(options: AuthServerOptions): Promise<AuthServer> {
  const settings = settingsFrom(options);
  const lock = lockDataDir(settings.dataDir);
  // What was opened is closed again when a later step fails: a start that is refused leaves no process and no lock behind.
  const opened: (() => unknown)[] = [() => lock.release()];
  try {
    const database = openSqlite({ file: settings.databaseFile, now: settings.now });
    opened.unshift(() => database.close());
    const hasher = createHasher(settings.passwords);
    opened.unshift(() => hasher.close());
    return await compose(settings, database, hasher, () => lock.release());
  } catch (error) {
    for (const close of opened) await close();
    throw error;
  }
}

async function epochOf(database: Database): Promise<string> {
  const known = await readMeta(database, 'epoch');
  if (known !== undefined) return known;
  const epoch = randomBytes(9).toString('hex');
  await database.write((tx) => writeMeta(tx, 'epoch', epoch));
  return epoch;
}

/** The parts that hold state, opened in the order in which they need one another. */
async function openState(
  settings: Settings,
  database: Database,
  logger: pino.Logger,
  firstStart: Omit<FirstStartOptions, 'database' | 'admin'>,
) {
  await migrate(database);
  const masterKey = loadMasterKey({
    ...settings.masterKey,
    mayCreate: (await readMeta(database, 'master_key_check')) === undefined,
  });
  await checkMasterKey(database, masterKey);
  const firstAdmin = await prepareFirstStart(
    { ...firstStart, database, admin: settings.admin },
    systemOrigin,
  );
  const tokenLife = await createTokenLife(database, settings.accessTokenLife);
  let hub: SignalHub | undefined;
  const events = await openSecurityEvents({
    ...settings,
    database,
    masterKey,
    signingKey: () => signingKeys.current,
    origin: systemOrigin,
    onError: warn(logger, 'security events cannot be delivered'),
  });
  const signals = createSignalPublisher(tokenLife.longest, () => hub?.wake(), events.record);
  const policy = {
    alg: settings.algorithm,
    every: settings.keyRotation,
  };
  const signingKeys = await openSigningKeyring(
    { database, masterKey, signals, policy, longestTokenLife: tokenLife.longest },
    systemOrigin,
  );
  const refreshKeys = await openRefreshKeyring(database, masterKey, {
    every: settings.keyRotation,
    sessionMax: settings.sessionMax,
  });
  const epoch = await epochOf(database);
  const onError = warn(logger, 'signals cannot be read');
  const says = {
    issuer: settings.issuer,
    epoch,
    signingKey: () => signingKeys.current,
    keysChanged: () => signingKeys.reload(),
    maxLife: () => tokenLife.longest(),
  };
  hub = await createSignalHub({ ...says, database, onError });
  const snapshots = createSnapshots({ ...says, queries: database });
  const fleet = createFleet({ database, onError });
  const receipts = createReceipts({ ...says, queries: database, fleet, hub });
  return {
    masterKey,
    tokenLife,
    signals,
    signingKeys,
    refreshKeys,
    epoch,
    hub,
    snapshots,
    fleet,
    receipts,
    events,
    firstAdmin,
  };
}

function warn(logger: pino.Logger, what: string): (error: unknown) => void {
  return (error) => logger.warn({ cause: error instanceof Error ? error.message : 'unknown' }, what);
}

async function compose(
  settings: Settings,
  database: Database,
  hasher: PasswordHasher,
  release: () => void,
): Promise<AuthServer> {
  const logger = pino(
    { level: settings.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: false }),
  );
  const setPassword = createPasswordSetter({ hasher, minLength: settings.passwords.minLength });
  const state = await openState(settings, database, logger, { hasher, setPassword });
  const { signals, signingKeys, refreshKeys, tokenLife, hub, fleet, receipts, events, firstAdmin } = state;
  const metrics = createMetrics();
  metrics.gauge('latchkey_signal_streams', 'Open signal streams.', () => hub.readers);
  metrics.gauge('latchkey_verifiers', 'Registered verifiers that are connected.', () => fleet.size);
  metrics.gauge(
    'latchkey_verifier_lag',
    'Signals that the slowest of them has not acknowledged.',
    () => fleet.lag,
  );
  metrics.gauge('latchkey_events_waiting', 'Security events that wait for their receivers.', () => {
    return events.totals.waiting;
  });
  metrics.gauge('latchkey_events_lost', 'Security events that had to go before they were taken.', () => {
    return events.totals.lost;
  });
  metrics.gauge('latchkey_passwords_waiting', 'Passwords waiting to be hashed.', () => hasher.waiting);

  const roleTable = createRoleTableCache(database);
  const attempts = createAttemptGuard(database, settings.attemptLimits);
  const issuer = createTokenIssuer({ ...settings, signingKeys, refreshKeys, roleTable });
  const audiences = createAudiences({
    queries: database,
    issuer: settings.issuer,
    audience: settings.audience,
  });
  const operator = createOperatorSocket((request, response) => app.routing(request, response));
  const authenticator = createAuthenticator({
    ...settings,
    database,
    signingKeys,
    roleTable,
    isOperator: (request) => operator.owns(request.raw.socket),
  });

  const sessions = createSessionEnder(database, signals);
  const signIn = createPasswordGrant({
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
    checkAudience: audiences.check,
    limit: createRefreshLimit(settings.refreshesPerMinute, settings.now),
    onRace: () => metrics.count('latchkey_refresh_races_total'),
  });
  const endpoints = allEndpoints({
    ...settings,
    ...state,
    polls: events.polls,
    receiverAdmin: events.receiverAdmin,
    database,
    authenticator,
    audiences,
    allowedOrigins: new Set([settings.origin, ...settings.origins]),
    requireRoom: countFailures(metrics, 'latchkey_sign_ins_total', () => hasher.requireRoom()),
    signIn: countOutcomes(metrics, 'latchkey_sign_ins_total', signIn),
    refresh: countOutcomes(metrics, 'latchkey_refreshes_total', refresh),
    changePassword: createPasswordChange({ database, hasher, attempts, setPassword, issuer, signals }),
    sessions,
    tokenRevocation: createTokenRevocation({ ...settings, ...state, database, sessions }),
    userAdmin: createUserAdmin({ database, signals, sessions, setPassword }),
    roleAdmin: createRoleAdmin(database, signals),
    clientAdmin: createClientAdmin({ database, signals, issuer: settings.issuer }),
    register: settings.registration
      ? createRegistration({ database, setPassword, limit: settings.attemptLimits.address })
      : undefined,
  });
  const appOptions = {
    authenticator,
    endpoints,
    trustedProxies: settings.trustedProxies,
    origins: settings.origins,
    logger,
    onAnswer: (route: string, method: string, status: number) => {
      metrics.count('latchkey_http_requests_total', {
        route,
        method,
        status: `${Math.floor(status / 100)}xx`,
      });
    },
  };
  const app = createApp(appOptions);
  const isInternal = settings.signalsAccess === 'internal';
  const internal = createInternalListener({
    ready: async () => (await countUsers(database)) >= 0,
    metrics: () => metrics.text(),
    paths: new Set(isInternal ? [...signalPaths, jwksPath] : []),
    handler: (request, response) => app.routing(request, response),
  });
  if (isInternal)
    keepInside(app, new Set(signalPaths), (socket) => internal.owns(socket) || operator.owns(socket));
  registerEndpoints(app, appOptions);
  await app.ready();
  events.start();

  const onError = (error: unknown) =>
    logger.error({ cause: error instanceof Error ? error.message : 'unknown' }, 'upkeep failed');
  const stopUpkeep = startUpkeep({
    database,
    signingKeys,
    refreshKeys,
    tokenLife,
    origin: systemOrigin,
    onError,
  });

  return {
    firstAdmin,
    listen: () => openListeners(settings, app.server, operator, internal.server),
    async close() {
      stopUpkeep();
      receipts.close();
      hub.close();
      await events.close();
      await fleet.close();
      await Promise.all([operator.close(), closeServer(internal.server), closeServer(app.server)]);
      await app.close();
      hasher.close();
      await database.close();
      release();
    },
  };
}

async function openListeners(
  settings: Settings,
  server: Server,
  operator: ReturnType<typeof createOperatorSocket>,
  internal: Server,
): Promise<Listening> {
  const listening: { address?: string; internal?: string; socket?: string } = {};
  if (settings.socketPath !== null) {
    await operator.listen(settings.socketPath);
    listening.socket = settings.socketPath;
  }
  if (settings.internal !== undefined) {
    await listenOn(internal, settings.internal);
    listening.internal = urlOf(internal);
  }
  if (settings.listen !== undefined) {
    await listenOn(server, settings.listen);
    listening.address = urlOf(server);
  }
  return listening;
}
