// Resident memory of the processes that run all day, ten idle seconds after a sign-in. The compile cache is warm: a first
// start fills it and is thrown away.
import { setTimeout as sleep } from 'node:timers/promises';
import { firstSignIn, memoryOf } from '../auth/first_sign_in.ts';
import { startWholeSystem } from '../auth/latchkey.ts';
import { openConnection } from '../harness/http_connection.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { formatMegabytes } from '../harness/table.ts';

export const name = 'memory';
export const goal =
  'after 10 s idle: auth server under 130 MB (its hasher listed apart), gateway under 85 MB';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  await firstSignIn(() => startWholeSystem());
  const system = await startWholeSystem();
  try {
    const connection = openConnection(system.port);
    await system.signIn(connection);
    connection.close();
    await sleep(quick ? 1000 : 10_000);
    const auth = memoryOf(system.pids['auth'] ?? 0);
    const gateway = memoryOf(system.pids['gateway'] ?? 0);
    return {
      figure: `auth server ${formatMegabytes(auth.server)}, its hasher ${formatMegabytes(auth.hasher)}, gateway ${formatMegabytes(gateway.server)}`,
      pass: auth.server > 0 && auth.server < 130e6 && gateway.server > 0 && gateway.server < 85e6,
    };
  } finally {
    await system.child.stop();
  }
}
