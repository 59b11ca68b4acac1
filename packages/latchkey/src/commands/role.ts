// `latchkey role …`: what each role permits.
import type { Admin } from '../admin/admin.ts';
import { call, collect, type RoleView } from '../admin/answers.ts';
import { CommandError } from '../failure.ts';
import { nearest } from '../spelling.ts';
import { print, printJson, styled } from '../terminal/print.ts';
import { withAdmin } from './administer.ts';
import { type Command, jsonOption, locateOptions } from './command.ts';
import { printReceipt, receiptField, waitOption, waitQuery } from './receipt.ts';

const common = { ...locateOptions, ...jsonOption } as const;
const rolesPath = '/auth/admin/roles';

async function findRole(admin: Admin, name: string): Promise<RoleView> {
  const roles = await collect<RoleView>(admin, rolesPath, 'roles');
  const found = roles.find((role) => role.name === name.toLowerCase());
  if (found !== undefined) return found;
  const meant = nearest(
    name,
    roles.map((role) => role.name),
  );
  throw new CommandError(`there is no role ${name}`, {
    hint: meant === undefined ? 'latchkey role list shows them' : `did you mean ${meant}?`,
  });
}

/** Words put together to lines of at most so many characters. */
function wrapped(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export const roleList: Command = {
  usage: 'role list',
  about: 'With the permissions that end up in the scope of their holders’ tokens.',
  options: common,
  async run(input) {
    await withAdmin(input, async (admin) => {
      const roles = await collect<RoleView>(admin, rolesPath, 'roles');
      if (input.has('json')) return printJson(roles);
      const width = Math.max(0, ...roles.map((role) => role.name.length)) + 2;
      for (const role of roles) {
        print(`${role.name.padEnd(width)}${role.description ?? ''}`);
        for (const line of wrapped(role.permissions, 76)) print(`${' '.repeat(width)}${styled('dim', line)}`);
      }
    });
  },
};

export const roleAdd: Command = {
  usage: 'role add NAME [PERMISSION...]',
  words: ['NAME', '[PERMISSION...]'],
  about: 'Permissions are plain names such as records:read.',
  options: { description: { type: 'string', value: 'TEXT', about: 'What the role is for' }, ...common },
  examples: ['latchkey role add researcher records:read --description "reads, writes nothing"'],
  async run(input) {
    const [name, ...permissions] = input.words;
    const description = input.text('description');
    await withAdmin(input, async (admin) => {
      const body = { name, permissions, ...(description !== undefined && { description }) };
      const role = await call<RoleView>(admin, 'POST', rolesPath, `role ${name}`, body);
      if (input.has('json')) return printJson(role);
      print(`added ${role.name}`);
    });
  },
};

export const rolePermissions: Command = {
  usage: 'role permissions NAME [PERMISSION...]',
  words: ['NAME', '[PERMISSION...]'],
  about:
    'Without permissions it shows them; with permissions it replaces them; --none takes all away.\nWhen the role loses one, its holders’ tokens become stale at once and are refreshed.',
  options: { none: { type: 'boolean', about: 'Take all permissions away' }, ...waitOption, ...common },
  async run(input) {
    const [name, ...permissions] = input.words;
    const query = waitQuery(input);
    await withAdmin(input, async (admin) => {
      let role = await findRole(admin, name!);
      let answer: unknown;
      if (permissions.length > 0 || input.has('none')) {
        const path = `${rolesPath}/${role.name}${query}`;
        answer = await call(admin, 'PATCH', path, `role ${role.name}`, { permissions });
        role = await findRole(admin, role.name);
      }
      const receipt = receiptField(answer);
      if (input.has('json'))
        return printJson(
          'receipt' in receipt ? { permissions: role.permissions, ...receipt } : role.permissions,
        );
      print(role.permissions.join('\n') || 'none');
      printReceipt(answer);
    });
  },
};

export const roleRemove: Command = {
  usage: 'role remove NAME',
  words: ['NAME'],
  about: 'Takes it from everybody who holds it.',
  options: { ...waitOption, ...common },
  async run(input) {
    const query = waitQuery(input);
    await withAdmin(input, async (admin) => {
      const role = await findRole(admin, input.words[0]!);
      const answer = await call(admin, 'DELETE', `${rolesPath}/${role.name}${query}`, `role ${role.name}`);
      if (input.has('json')) return printJson({ removed: role.name, ...receiptField(answer) });
      print(`removed ${role.name}`);
      printReceipt(answer);
    });
  },
};
