// `latchkey user …`. Names go in, ids stay inside; every change runs through the admin API and leaves its audit row.
import { call, collect, findUser, type SessionView, type UserView } from '../admin/answers.ts';
import { randomPassword, readPassword } from '../terminal/password.ts';
import { print, printJson, table, when } from '../terminal/print.ts';
import { withAdmin } from './administer.ts';
import { type Command, type Input, jsonOption, locateOptions, type OptionSpec } from './command.ts';
import { printReceipt, receiptField, waitOption, waitQuery } from './receipt.ts';

const passwordOptions = {
  'password-stdin': { type: 'boolean', about: 'Read the password from standard input instead of asking' },
  generate: { type: 'boolean', about: 'Draw a random password and print it once' },
} as const satisfies Record<string, OptionSpec>;

const common = { ...locateOptions, ...jsonOption } as const;

async function newPassword(
  input: Input,
): Promise<{ readonly password: string; readonly generated: boolean }> {
  if (input.has('generate')) return { password: randomPassword(), generated: true };
  const asked = { fromStdin: input.has('password-stdin'), prompt: 'New password', twice: true };
  return { password: await readPassword(asked), generated: false };
}

export const userAdd: Command = {
  usage: 'user add NAME',
  words: ['NAME'],
  about: 'Asks for a password; never give one as an argument.',
  options: {
    role: {
      type: 'string',
      multiple: true,
      value: 'ROLE',
      about: 'A role of the new user; may be given more than once',
    },
    email: { type: 'string', value: 'ADDRESS', about: 'Their e-mail address' },
    ...passwordOptions,
    ...common,
  },
  examples: [
    'latchkey user add alice --role doctor',
    'printf %s "$SECRET" | latchkey user add bob --password-stdin',
  ],
  async run(input) {
    const username = input.words[0]!;
    const email = input.text('email');
    const { password, generated } = await newPassword(input);
    await withAdmin(input, async (admin) => {
      const body = { username, password, roles: input.texts('role'), ...(email !== undefined && { email }) };
      const user = await call<UserView>(admin, 'POST', '/auth/admin/users', `user ${username}`, body);
      if (input.has('json')) return printJson({ ...user, ...(generated && { password }) });
      print(`added ${user.username}${user.roles.length > 0 ? ` (${user.roles.join(', ')})` : ''}`);
      if (generated) print(`password, shown once: ${password}`);
    });
  },
};

export const userList: Command = {
  usage: 'user list',
  about: 'All of them, in the order they were made.',
  options: common,
  async run(input) {
    await withAdmin(input, async (admin) => {
      const users = await collect<UserView>(admin, '/auth/admin/users', 'users');
      if (input.has('json')) return printJson(users);
      const rows = users.map((user) => [
        user.username,
        user.roles.join(', '),
        user.disabled ? 'disabled' : '',
        when(user.created_at),
      ]);
      print(table(['user', 'roles', '', 'since'], rows));
    });
  },
};

export const userShow: Command = {
  usage: 'user show NAME',
  words: ['NAME'],
  about: 'Takes a name or an id.',
  options: common,
  async run(input) {
    await withAdmin(input, async (admin) => {
      const user = await findUser(admin, input.words[0]!);
      const sessions = await collect<SessionView>(admin, `/auth/admin/users/${user.id}/sessions`, 'sessions');
      if (input.has('json')) return printJson({ ...user, sessions });
      print(`${user.username}${user.disabled ? ' (disabled)' : ''}`);
      print(`  id        ${user.id}`);
      if (user.email !== undefined) print(`  email     ${user.email}`);
      print(`  roles     ${user.roles.join(', ') || 'none'}`);
      print(`  since     ${when(user.created_at)}`);
      print(`  sessions  ${sessions.length}`);
    });
  },
};

export const userRoles: Command = {
  usage: 'user roles NAME [ROLE...]',
  words: ['NAME', '[ROLE...]'],
  about:
    'Without roles it shows them; with roles it replaces them; --none takes all away.\nRunning tokens become stale at once and are refreshed with the new roles; nobody is signed out.',
  options: { none: { type: 'boolean', about: 'Take all roles away' }, ...waitOption, ...common },
  examples: ['latchkey user roles alice', 'latchkey user roles alice doctor researcher --wait'],
  async run(input) {
    const [name, ...roles] = input.words;
    const query = waitQuery(input);
    await withAdmin(input, async (admin) => {
      let user = await findUser(admin, name!);
      let answer: unknown;
      if (roles.length > 0 || input.has('none')) {
        const path = `/auth/admin/users/${user.id}/roles${query}`;
        answer = await call(admin, 'PUT', path, `roles of ${name}`, { roles });
        user = await findUser(admin, user.id);
      }
      const receipt = receiptField(answer);
      if (input.has('json'))
        return printJson('receipt' in receipt ? { roles: user.roles, ...receipt } : user.roles);
      print(user.roles.join('\n') || 'none');
      printReceipt(answer);
    });
  },
};

export const userPasswd: Command = {
  usage: 'user passwd NAME',
  words: ['NAME'],
  about: 'Ends all of their sessions: whoever knew the old password is out at once.',
  options: { ...passwordOptions, ...waitOption, ...common },
  async run(input) {
    const query = waitQuery(input);
    const { password, generated } = await newPassword(input);
    await withAdmin(input, async (admin) => {
      const user = await findUser(admin, input.words[0]!);
      const path = `/auth/admin/users/${user.id}/password${query}`;
      const answer = await call(admin, 'PUT', path, `password of ${user.username}`, { password });
      const shown = { username: user.username, ...(generated && { password }), ...receiptField(answer) };
      if (input.has('json')) return printJson(shown);
      print(`${user.username} has a new password; their sessions have ended`);
      if (generated) print(`password, shown once: ${password}`);
      printReceipt(answer);
    });
  },
};

function enabling(disabled: boolean): Command {
  return {
    usage: `user ${disabled ? 'disable' : 'enable'} NAME`,
    words: ['NAME'],
    about: disabled
      ? 'Ends their sessions too, within a second at every gateway and service that is connected.'
      : 'They sign in again with the password they had.',
    options: disabled ? { ...waitOption, ...common } : common,
    async run(input) {
      const query = waitQuery(input);
      await withAdmin(input, async (admin) => {
        const user = await findUser(admin, input.words[0]!);
        const path = `/auth/admin/users/${user.id}${query}`;
        const answer = await call(admin, 'PATCH', path, user.username, { disabled });
        if (input.has('json')) return printJson({ ...user, disabled, ...receiptField(answer) });
        print(`${user.username} is ${disabled ? 'disabled' : 'enabled'}`);
        printReceipt(answer);
      });
    },
  };
}

export const userDisable = enabling(true);
export const userEnable = enabling(false);
