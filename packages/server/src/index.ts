// The authorization server as a library: what the command line composes.
export type { FirstAdmin } from './grants/first_start.ts';
export type { ClaimsUser } from './grants/issue.ts';
export { MasterKeyError } from './keys/master_key.ts';
export {
  type AuthServerOptions,
  ConfigurationError,
  checkAuthServerOptions,
  type LimitOptions,
  type Listen,
  type PasswordOptions,
  type SignalOptions,
} from './options.ts';
export { type AuthServer, createAuthServer, type Listening } from './server.ts';
export { DataDirLocked } from './storage/data_dir.ts';
