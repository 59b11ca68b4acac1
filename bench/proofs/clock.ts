// The server's clock an hour on, grace time 10 s: a lost answer asked again with its Idempotency-Key gets the same successor; an
// old token without the key ends the session. A thousand of each, over HTTP.
import { adminPassword, startAuthServer } from '../../test/support/auth_server.ts';
import { movedClock } from '../../test/support/clock.ts';
import { field } from '../auth/systems.ts';
import { type Answer, formRequest, jsonRequest, openConnection } from '../harness/http_connection.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';

export const name = 'clock';
export const goal =
  'clock moved an hour, grace 10 s: a lost answer retried with the same Idempotency-Key: same successor, 1,000 of 1,000; an old token without it ends the session, 1,000 of 1,000';

const parallel = 8;

interface Session {
  readonly token: string;
  readonly key: string;
  successor: string;
}

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const each = quick ? 20 : 1000;
  const clock = movedClock();
  const server = await startAuthServer({ now: clock.now, refreshGrace: 10 });
  const connections = Array.from({ length: parallel }, () =>
    openConnection(Number(new URL(server.url).port)),
  );
  const signIn = jsonRequest('/auth/login', { username: 'admin', password: adminPassword });
  const refresh = (token: string, key?: string) =>
    formRequest(
      '/auth/token',
      { grant_type: 'refresh_token', refresh_token: token },
      key === undefined ? {} : { 'idempotency-key': key },
    );

  /** Does `work` for every number below `count`, as many at once as there are connections. */
  async function inParallel(
    count: number,
    work: (send: (request: string) => Promise<Answer>, i: number) => Promise<void>,
  ) {
    let next = 0;
    await Promise.all(
      connections.map(async ({ send }) => {
        while (next < count) await work(send, next++);
      }),
    );
  }

  try {
    const sessions: Session[] = [];
    await inParallel(2 * each, async (send, i) => {
      const token = field(await send(signIn), 'refresh_token');
      const key = `a-key-for-session-${i}`;
      sessions.push({ token, key, successor: field(await send(refresh(token, key)), 'refresh_token') });
    });
    clock.move(3600);
    const retried = sessions.slice(0, each);
    const stolen = sessions.slice(each);
    const counts = { same: 0, usable: 0, ended: 0, dead: 0 };
    await inParallel(each, async (send, i) => {
      const { token, key, successor } = retried[i] as Session;
      const answer = await send(refresh(token, key));
      if (answer.status === 200 && field(answer, 'refresh_token') === successor) counts.same += 1;
      if ((await send(refresh(successor))).status === 200) counts.usable += 1;
    });
    await inParallel(each, async (send, i) => {
      const { token, successor } = stolen[i] as Session;
      if (/"reason":"reuse"/.test((await send(refresh(token))).body)) counts.ended += 1;
      if ((await send(refresh(successor))).status === 400) counts.dead += 1;
    });
    return {
      figure: `with the key ${counts.same} of ${each} the same successor (${counts.usable} usable); without it ${counts.ended} of ${each} ended as reuse (${counts.dead} successors dead)`,
      pass: Object.values(counts).every((count) => count === each),
    };
  } finally {
    for (const connection of connections) connection.close();
    await server.close();
  }
}
