// `latchkey key …`: the signing keys. Private keys never leave the server; what is shown is names and times.
import type { Admin } from '../admin/admin.ts';
import { call, collect, expectStatus, type KeyView } from '../admin/answers.ts';
import { CommandError } from '../failure.ts';
import { print, printJson, table, when } from '../terminal/print.ts';
import { withAdmin } from './administer.ts';
import { type Command, jsonOption, locateOptions } from './command.ts';
import { printReceipt, receiptField, waitOption, waitQuery } from './receipt.ts';

const common = { ...locateOptions, ...jsonOption } as const;

const meaning = {
  next: 'published, signs soon',
  current: 'signs now',
  previous: 'signs no more, its tokens are still valid',
} as const;

export const keyList: Command = {
  usage: 'key list',
  about: 'A key is next, then current, then previous, then gone.',
  options: common,
  async run(input) {
    await withAdmin(input, async (admin) => {
      const keys = await collect<KeyView>(admin, '/auth/admin/keys', 'keys');
      if (input.has('json')) return printJson(keys);
      print(
        table(
          ['key', 'algorithm', 'state', 'since', 'until', ''],
          keys.map((key) => [
            key.kid,
            key.alg,
            key.state,
            when(key.activates_at ?? key.created_at),
            key.retires_at === undefined ? '' : when(key.retires_at),
            meaning[key.state],
          ]),
        ),
      );
    });
  },
};

export const keyRotate: Command = {
  usage: 'key rotate',
  about:
    'Rotation happens by itself; this lets the next key sign now. It is published long before, so that every cache has it;\nwhen it is too fresh for that, the command says how long to wait. Nobody is signed out.',
  options: {
    immediately: {
      type: 'boolean',
      about: 'Do not wait: verifiers with an older key set refuse new tokens until they fetch',
    },
    ...waitOption,
    ...common,
  },
  async run(input) {
    const query = waitQuery(input);
    await withAdmin(input, async (admin) => {
      const body = { immediately: input.has('immediately') };
      const answer = await admin.send('POST', `/auth/admin/keys/rotate${query}`, body);
      if (answer.status === 409) throw await refusalOf(admin, answer.body);
      expectStatus(answer, [200], 'rotation');
      const key = answer.body as KeyView;
      if (input.has('json')) return printJson(key);
      print(`${key.kid} signs from now on`);
      printReceipt(answer.body);
    });
  },
};

async function refusalOf(admin: Admin, body: unknown): Promise<CommandError> {
  if ((body as { readonly reason?: string } | null)?.reason === 'awaiting_verifiers')
    return new CommandError('a verifier that is connected has not said that it has the next key', {
      hint: 'latchkey verifiers shows which one is behind; try again in a few seconds, or --immediately',
    });
  const keys = await collect<KeyView>(admin, '/auth/admin/keys', 'keys');
  const next = keys.find(({ state }) => state === 'next');
  const from = next?.activates_at === undefined ? '' : `, it may sign from ${when(next.activates_at)}`;
  return new CommandError(`the next key has not been published for long enough${from}`, {
    hint: 'wait until then; --immediately does not, and a key that leaked is removed with latchkey key remove',
  });
}

export const keyRemove: Command = {
  usage: 'key remove KEY',
  words: ['KEY'],
  about:
    'For a private key that leaked: every token it signed is refused at once, everywhere. Clients refresh by themselves;\nnobody is signed out. For anything else, latchkey key rotate is the gentle way.',
  options: { ...waitOption, ...common },
  async run(input) {
    const kid = input.words[0]!;
    const query = waitQuery(input);
    await withAdmin(input, async (admin) => {
      const path = `/auth/admin/keys/${encodeURIComponent(kid)}${query}`;
      const answer = await call(admin, 'DELETE', path, `key ${kid}`);
      if (input.has('json')) return printJson({ removed: kid, ...receiptField(answer) });
      print(`${kid} is removed; tokens it signed are refused`);
      printReceipt(answer);
    });
  },
};
