// Durable refreshes against oidc-provider's and Better Auth's way from a session to a token.

import { measureRefreshes, refreshLead } from '../auth/bench.ts';
import type { ProofOptions, ProofResult } from '../harness/proof.ts';
import { median } from '../harness/statistics.ts';
import { formatNumber, formatRatio } from '../harness/table.ts';

export const name = 'refresh';
export const goal =
  'durable refreshes, 16 clients, server on one core: ≥ 3 × oidc-provider, ≥ 5 × Better Auth session → token';

export async function run({ quick }: ProofOptions): Promise<ProofResult> {
  const results = await measureRefreshes({
    names: [],
    json: undefined,
    rounds: quick ? 2 : 7,
    roundTime: quick ? 1000 : 4000,
  });
  const figures = [...results].map(([system, rounds]) => {
    const rate = formatNumber(median(rounds.map((round) => round.rate)));
    return `${system} ${rate}/s, p99 ${formatNumber(median(rounds.map(({ p99 }) => p99)))} ms`;
  });
  const [overOidc, overBetter] = [refreshLead(results, 'oidc-provider'), refreshLead(results, 'Better Auth')];
  return {
    figure: `${figures.join('; ')}; ${formatRatio(overOidc)} and ${formatRatio(overBetter)}`,
    pass: overOidc >= 3 && overBetter >= 5,
  };
}
