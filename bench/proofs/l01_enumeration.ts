// Threat L01: does a sign-in tell whether the account exists? Wrong passwords of existing users and of unknown ones,
// interleaved in seeded order on one connection: equal bytes, and no difference in time that Welch's t can see.
import { createPeople, signInWith, startLatchkey } from '../auth/latchkey.ts';
import { type Answer, openConnection } from '../harness/http_connection.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { cropTogether, mean, seededRandom, welchT } from '../harness/statistics.ts';

export const name = 'l01_enumeration';
export const goal =
  'L01: unknown user and wrong password: |t| < 4.5 over 2,000 + 2,000 interleaved, answers byte-equal';

const people = 20;

/** Everything but what differs between any two answers: the date and the request id. */
function comparable({ status, head, body }: Answer): string {
  const headers = head
    .split('\r\n')
    .slice(1)
    .filter((line) => !/^(date|x-request-id|request-id|keep-alive):/i.test(line));
  return [status, ...headers, body.replace(/"request_id":"[^"]*"/, '"request_id":""')].join('\n');
}

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const each = quick ? 100 : 2000;
  const system = await startLatchkey();
  try {
    await createPeople(system, 'known', people);
    const connection = openConnection(system.port);
    const random = seededRandom(1);
    const times: [number[], number[]] = [[], []];
    const answers = new Set<string>();
    const counts: [number, number] = [0, 0];
    const warmUp = 40;
    for (let i = 0; i < 2 * each + warmUp; i += 1) {
      // Pairs in random order: equally many of both, and no pattern that something periodic could fall in with.
      const which: 0 | 1 = i % 2 === 0 ? (random() < 0.5 ? 0 : 1) : counts[0] > counts[1] ? 1 : 0;
      const username = `${which === 0 ? 'known' : 'alien'}${counts[which] % people}`;
      counts[which] += 1;
      const request = signInWith(username, 'a wrong password, but a long one');
      const sent = performance.now();
      const answer = await connection.send(request);
      if (i >= warmUp) times[which].push(performance.now() - sent);
      answers.add(comparable(answer));
    }
    connection.close();
    const [t, cropped] = [welchT(...times), welchT(...cropTogether(...times, 95))];
    const [first = ''] = answers;
    return {
      figure: `t = ${t.toFixed(2)}, without the slowest twentieth ${cropped.toFixed(2)} (means ${mean(times[0]).toFixed(2)} and ${mean(times[1]).toFixed(2)} ms); ${answers.size} distinct answer, ${first.slice(0, 3)}`,
      pass: Math.abs(t) < 4.5 && Math.abs(cropped) < 4.5 && answers.size === 1 && first.startsWith('401'),
    };
  } finally {
    await system.child.stop();
  }
}
