// `latchkey client …`: programs that prove who they are to the auth server. A gateway or service that is one is listed by
// `latchkey verifiers` and acknowledges what it has applied; a back end may introspect or revoke, when it is given the scope.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import type { Admin } from '../admin/admin.ts';
import { type ClientView, call, collect, type NewClientView } from '../admin/answers.ts';
import { CommandError, usageError } from '../failure.ts';
import { nearest } from '../spelling.ts';
import { print, printable, printJson, table } from '../terminal/print.ts';
import { withAdmin } from './administer.ts';
import { type Command, jsonOption, locateOptions } from './command.ts';
import { printReceipt, receiptField, waitOption, waitQuery } from './receipt.ts';

const common = { ...locateOptions, ...jsonOption } as const;
const clientsPath = '/auth/admin/clients';

export const clientCreate: Command = {
  usage: 'client create NAME',
  words: ['NAME'],
  about: 'Draws a secret and shows it once, or writes it into a file that only you can read.',
  options: {
    'secret-file': {
      type: 'string',
      value: 'FILE',
      about: 'Write the secret into this new file (mode 0600)',
    },
    scope: {
      type: 'string',
      multiple: true,
      value: 'SCOPE',
      about: 'introspection or revocation; a gateway or a service needs none',
    },
    audience: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      about: 'An audience that people may sign in for through it; may be given more than once',
    },
    ...common,
  },
  examples: ['latchkey client create edge-1 --secret-file edge-1.secret'],
  async run(input) {
    const name = input.words[0]!;
    const file = input.text('secret-file');
    const write = file === undefined ? undefined : newSecretFile(file);
    let made = false;
    try {
      await withAdmin(input, async (admin) => {
        const body = { name, scopes: input.texts('scope'), audiences: input.texts('audience') };
        const { secret, ...client } = await call<NewClientView>(
          admin,
          'POST',
          clientsPath,
          `client ${name}`,
          body,
        );
        write?.(secret);
        made = true;
        if (input.has('json'))
          return printJson({ ...client, ...(file === undefined ? { secret } : { file }) });
        print(`added ${printable(client.name)}`);
        print(`  id      ${client.id}`);
        print(`  secret  ${file === undefined ? `${secret} (shown once)` : `in ${file}`}`);
      });
    } catch (error) {
      if (file !== undefined && !made) rmSync(file, { force: true });
      throw error;
    }
  },
};

/** Opened before the client is made: a secret that could not be written would be lost. Never an existing file. */
function newSecretFile(file: string): (secret: string) => void {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usageError(code === 'EEXIST' ? `${file} is there already` : `${file} cannot be written (${code})`);
  }
  return (secret) => {
    writeSync(descriptor, `${secret}\n`);
    closeSync(descriptor);
  };
}

export const clientList: Command = {
  usage: 'client list',
  about: 'Without their secrets, of which the auth server keeps only hashes.',
  options: common,
  async run(input) {
    await withAdmin(input, async (admin) => {
      const clients = await collect<ClientView>(admin, clientsPath, 'clients');
      if (input.has('json')) return printJson(clients);
      if (clients.length === 0) return print('no client is registered');
      const rows = clients.map(({ id, name, scopes, audiences }) => [
        printable(name),
        id,
        scopes.join(', '),
        audiences.join(', '),
      ]);
      print(table(['client', 'id', 'scopes', 'audiences'], rows));
    });
  },
};

export const clientRemove: Command = {
  usage: 'client remove CLIENT',
  words: ['CLIENT'],
  about:
    'Takes an id, or a name that only one client has. Tokens that were issued through it are refused everywhere; a gateway or\nservice that reads the signals as this client cannot read them any more, and refuses requests after some minutes.',
  options: { ...waitOption, ...common },
  async run(input) {
    const query = waitQuery(input);
    await withAdmin(input, async (admin) => {
      const { id, name } = await findClient(admin, input.words[0]!);
      const answer = await call(admin, 'DELETE', `${clientsPath}/${id}${query}`, `client ${name}`);
      if (input.has('json')) return printJson({ removed: id, ...receiptField(answer) });
      print(`removed ${printable(name)}`);
      printReceipt(answer);
    });
  },
};

async function findClient(admin: Admin, wanted: string): Promise<ClientView> {
  const clients = await collect<ClientView>(admin, clientsPath, 'clients');
  const found = clients.filter(({ id, name }) => id === wanted || name === wanted);
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    throw new CommandError(`${found.length} clients are named ${wanted}`, {
      hint: 'latchkey client list shows their ids',
    });
  const meant = nearest(
    wanted,
    clients.map(({ name }) => name),
  );
  throw new CommandError(`there is no client ${wanted}`, {
    hint: meant === undefined ? 'latchkey client list shows them' : `did you mean ${meant}?`,
  });
}
