// The refresh race at full size: a thousand sessions, fifty parallel refreshes of the same token each, default grace. Everybody
// is answered 200, and each session has exactly one successor. Real HTTP; the clock does not move.
import { adminPassword, startAuthServer } from '../../test/support/auth_server.ts';
import { field } from '../auth/systems.ts';
import { formRequest, jsonRequest, openConnection } from '../harness/http_connection.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';

export const name = 'race';
export const goal =
  'refresh, default grace: 1,000 sessions × 50 parallel refreshes of the same token: 50,000 of 50,000 answer 200, 1,000 successors, 0 forks';

const racers = 50;

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const sessions = quick ? 20 : 1000;
  const server = await startAuthServer();
  const connections = Array.from({ length: racers }, () => openConnection(Number(new URL(server.url).port)));
  try {
    const signIn = jsonRequest('/auth/login', { username: 'admin', password: adminPassword });
    const tokens: string[] = [];
    await Promise.all(
      connections.slice(0, 4).map(async (connection) => {
        while (tokens.length < sessions) tokens.push(field(await connection.send(signIn), 'refresh_token'));
      }),
    );
    tokens.length = sessions;
    let answered = 0;
    let successors = 0;
    let forks = 0;
    for (const token of tokens) {
      const request = formRequest('/auth/token', { grant_type: 'refresh_token', refresh_token: token });
      const answers = await Promise.all(connections.map((connection) => connection.send(request)));
      const good = answers.filter(({ status }) => status === 200);
      const next = new Set(good.map((answer) => field(answer, 'refresh_token')));
      answered += good.length;
      successors += next.size;
      if (next.size !== 1 || next.has(token)) forks += 1;
    }
    return {
      figure: `${answered} of ${sessions * racers} answered 200, ${successors} successors of ${sessions} sessions, ${forks} forks`,
      pass: answered === sessions * racers && successors === sessions && forks === 0,
    };
  } finally {
    for (const connection of connections) connection.close();
    await server.close();
  }
}
