// Every command, with the line that `latchkey help` shows. A command's module is loaded only when it is called: the
// auth server must not wait for code of the gateway, and `--version` for neither.
import type { Command } from './command.ts';

export interface Entry {
  /** `user add` */
  readonly name: string;
  readonly summary: string;
  readonly group: 'run' | 'people' | 'machines' | 'look';
  readonly load: () => Promise<Command>;
}

/** The headings under which they are listed. */
export const groups: readonly (readonly [Entry['group'], string])[] = [
  ['run', 'Run'],
  ['people', 'People'],
  ['machines', 'Machines'],
  ['look', 'Look inside'],
];

const user = () => import('./user.ts');
const role = () => import('./role.ts');
const session = () => import('./session.ts');
const key = () => import('./key.ts');
const client = () => import('./client.ts');

export const commands: readonly Entry[] = [
  {
    name: 'start',
    group: 'run',
    summary: 'Run everything: auth server, gateway, services',
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'auth',
    group: 'run',
    summary: 'Run the auth server alone',
    load: async () => (await import('./auth.ts')).auth,
  },
  {
    name: 'gateway',
    group: 'run',
    summary: 'Run the gateway alone',
    load: async () => (await import('./gateway.ts')).gateway,
  },
  {
    name: 'init',
    group: 'run',
    summary: 'Write a commented latchkey.config.ts',
    load: async () => (await import('./init.ts')).init,
  },

  { name: 'user add', group: 'people', summary: 'Add a user', load: async () => (await user()).userAdd },
  { name: 'user list', group: 'people', summary: 'List users', load: async () => (await user()).userList },
  {
    name: 'user show',
    group: 'people',
    summary: 'Show a user and their sessions',
    load: async () => (await user()).userShow,
  },
  {
    name: 'user roles',
    group: 'people',
    summary: 'Show or set the roles of a user',
    load: async () => (await user()).userRoles,
  },
  {
    name: 'user passwd',
    group: 'people',
    summary: 'Give a user a new password',
    load: async () => (await user()).userPasswd,
  },
  {
    name: 'user disable',
    group: 'people',
    summary: 'Ban a user; their tokens stop working at once',
    load: async () => (await user()).userDisable,
  },
  {
    name: 'user enable',
    group: 'people',
    summary: 'Let a disabled user in again',
    load: async () => (await user()).userEnable,
  },
  {
    name: 'role list',
    group: 'people',
    summary: 'List roles and what they permit',
    load: async () => (await role()).roleList,
  },
  { name: 'role add', group: 'people', summary: 'Add a role', load: async () => (await role()).roleAdd },
  {
    name: 'role permissions',
    group: 'people',
    summary: 'Show or set the permissions of a role',
    load: async () => (await role()).rolePermissions,
  },
  {
    name: 'role remove',
    group: 'people',
    summary: 'Remove a role',
    load: async () => (await role()).roleRemove,
  },
  {
    name: 'session list',
    group: 'people',
    summary: 'List the sessions of a user, or all',
    load: async () => (await session()).sessionList,
  },
  {
    name: 'session end',
    group: 'people',
    summary: 'End one session, or all of a user',
    load: async () => (await session()).sessionEnd,
  },

  {
    name: 'verifiers',
    group: 'machines',
    summary: 'List the gateways and services that are registered, and what each has applied',
    load: async () => (await import('./verifiers.ts')).verifiers,
  },
  {
    name: 'client create',
    group: 'machines',
    summary: 'Register a gateway, a service or a back end',
    load: async () => (await client()).clientCreate,
  },
  {
    name: 'client list',
    group: 'machines',
    summary: 'List the registered clients',
    load: async () => (await client()).clientList,
  },
  {
    name: 'client remove',
    group: 'machines',
    summary: 'Remove a client; every session that began through it ends',
    load: async () => (await client()).clientRemove,
  },

  {
    name: 'key list',
    group: 'look',
    summary: 'List the signing keys',
    load: async () => (await key()).keyList,
  },
  {
    name: 'key rotate',
    group: 'look',
    summary: 'Let the next key sign now',
    load: async () => (await key()).keyRotate,
  },
  {
    name: 'key remove',
    group: 'look',
    summary: 'Remove a key that leaked',
    load: async () => (await key()).keyRemove,
  },
  {
    name: 'token inspect',
    group: 'look',
    summary: 'Explain a token, and verify it when possible',
    load: async () => (await import('./token.ts')).tokenInspect,
  },
  {
    name: 'doctor',
    group: 'look',
    summary: 'Check settings, clock, keys, database, ports',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'help',
    group: 'look',
    summary: 'Explain a command',
    load: async () => (await import('./help.ts')).help,
  },
  {
    name: 'version',
    group: 'look',
    summary: 'Show the version',
    load: async () => (await import('./version.ts')).version,
  },
];
