// Two thousand browsers of three tabs each over two moved hours: delays, lost requests and answers, sleeping laptops
// (test/support/browser_model.ts). Nobody may be signed out. Real HTTP against the real server with its clock moved.
import { adminPassword, startAuthServer } from '../../test/support/auth_server.ts';
import { runBrowserModel, seededRandom } from '../../test/support/browser_model.ts';
import { movedClock } from '../../test/support/clock.ts';
import {
  type Answer,
  buildRequest,
  type Connection,
  headerOf,
  jsonRequest,
  openConnection,
} from '../harness/http_connection.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';

export const name = 'tabs_model';
export const goal =
  '2,000 browsers × 3 tabs over two moved hours with delays and lost answers: 0 sign-outs, 0 forks';

const browser = { 'x-latchkey': '1', 'sec-fetch-site': 'same-origin' };

function cookieOf(answer: Answer): string | undefined {
  return /set-cookie: (__Host-latchkey-refresh=[^;]+)/i.exec(answer.head)?.[1];
}

/** Connections that are lent for one call each; a new one is opened where all are out. */
function createPool(port: number) {
  const free: Connection[] = [];
  const all: Connection[] = [];
  return {
    async send(request: string): Promise<Answer> {
      const connection = free.pop() ?? openConnection(port);
      if (!all.includes(connection)) all.push(connection);
      const answer = await connection.send(request);
      free.push(connection);
      return answer;
    },
    close: () => {
      for (const connection of all) connection.close();
    },
  };
}

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const browsers = quick ? 50 : 2000;
  const clock = movedClock();
  const server = await startAuthServer({ now: clock.now });
  const pool = createPool(Number(new URL(server.url).port));
  const body = 'grant_type=refresh_token';
  try {
    const result = await runBrowserModel({
      browsers,
      tabs: 3,
      duration: 7200,
      tokenLife: 300,
      lost: 0.02,
      maxDelay: 8,
      random: seededRandom(5),
      move: clock.move,
      async signIn() {
        const login = { username: 'admin', password: adminPassword, cookie: true };
        return cookieOf(await pool.send(jsonRequest('/auth/login', login, browser))) ?? '';
      },
      async refresh(cookie, key) {
        const headers = {
          ...browser,
          cookie,
          'idempotency-key': key,
          'content-type': 'application/x-www-form-urlencoded',
        };
        const answer = await pool.send(buildRequest({ method: 'POST', path: '/auth/token', headers, body }));
        if (answer.status === 200) return { cookie: cookieOf(answer) };
        return {
          refused:
            /"reason":"(\w+)"/.exec(answer.body)?.[1] ??
            `${answer.status} ${headerOf(answer, 'retry-after') ?? ''}`,
        };
      },
    });
    const out = Object.values(result.signedOut).reduce((sum, count) => sum + count, 0);
    const thousands = new Intl.NumberFormat('en');
    return {
      figure: `${out} of ${browsers} browsers signed out ${JSON.stringify(result.signedOut)}, ${result.forks} forks, in ${thousands.format(result.refreshes)} refreshes (${thousands.format(result.behind)} with a token already exchanged, ${thousands.format(result.lost)} lost on the way)`,
      pass: out === 0 && result.forks === 0,
    };
  } finally {
    pool.close();
    await server.close();
  }
}
