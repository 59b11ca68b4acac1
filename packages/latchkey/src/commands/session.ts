// `latchkey session …`: where somebody is signed in, and ending it.
import { call, collect, findUser, type SessionView } from '../admin/answers.ts';
import { usageError } from '../failure.ts';
import { print, printable, printJson, table, when } from '../terminal/print.ts';
import { withAdmin } from './administer.ts';
import { type Command, jsonOption, locateOptions } from './command.ts';
import { printReceipt, receiptField, waitOption, waitQuery } from './receipt.ts';

const common = { ...locateOptions, ...jsonOption } as const;

export const sessionList: Command = {
  usage: 'session list [USER]',
  words: ['[USER]'],
  about: 'One line a device. Without a user: those of everybody.',
  options: common,
  async run(input) {
    const name = input.words[0];
    await withAdmin(input, async (admin) => {
      const user = name === undefined ? undefined : await findUser(admin, name);
      const path = user === undefined ? '/auth/admin/sessions' : `/auth/admin/users/${user.id}/sessions`;
      const sessions = await collect<SessionView>(admin, path, 'sessions');
      if (input.has('json')) return printJson(sessions);
      if (sessions.length === 0)
        return print(`${user?.username ?? 'nobody'} is ${user === undefined ? '' : 'not '}signed in`);
      const rows = sessions.map((session) => [
        session.id,
        when(session.created_at),
        when(session.last_used_at),
        session.ip,
        ...(user === undefined ? [session.user_id] : []),
        printable(session.user_agent ?? '').slice(0, 50),
      ]);
      print(
        table(
          ['session', 'since', 'last used', 'from', ...(user === undefined ? ['user'] : []), 'with'],
          rows,
        ),
      );
    });
  },
};

export const sessionEnd: Command = {
  usage: 'session end [SESSION]',
  words: ['[SESSION]'],
  about: 'Its tokens stop working within a second at every gateway and service that is connected.',
  options: {
    user: { type: 'string', value: 'NAME', about: 'End all sessions of this user' },
    ...waitOption,
    ...common,
  },
  examples: ['latchkey session end 3f0c…', 'latchkey session end --user alice --wait'],
  async run(input) {
    const session = input.words[0];
    const name = input.text('user');
    const query = waitQuery(input);
    if ((session === undefined) === (name === undefined)) {
      throw usageError(
        'name one session, or a user with --user',
        'latchkey session list USER shows their sessions',
      );
    }
    await withAdmin(input, async (admin) => {
      const target = session === undefined ? (await findUser(admin, name!)).id : session;
      const path =
        session === undefined
          ? `/auth/admin/users/${target}/sessions`
          : `/auth/admin/sessions/${encodeURIComponent(target)}`;
      const about = session === undefined ? `sessions of ${name}` : `session ${session}`;
      const answer = await call(admin, 'DELETE', path + query, about);
      if (input.has('json')) return printJson({ ended: session ?? name, ...receiptField(answer) });
      print(session === undefined ? `all sessions of ${name} have ended` : 'the session has ended');
      printReceipt(answer);
    });
  },
};
