// `npm run bench -- [tokens|auth|sessions|signals …] [--rounds N] [--time MS] [--json FILE]`: all benches by default.
// Topics and what they mean: bench/README.md.
import { installPeers } from './harness/install.ts';
import { machineLine } from './harness/machine.ts';
import { type BenchOptions, parseOptions } from './harness/options.ts';
import { printTable, type Table, writeRecord } from './harness/table.ts';

type Bench = (options: BenchOptions) => Promise<readonly Table[]>;

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  tokens: async () => (await import('./tokens/bench.ts')).benchTokens,
  auth: async () => (await import('./auth/bench.ts')).benchAuth,
  sessions: async () => (await import('./sessions/bench.ts')).benchSessions,
  signals: async () => (await import('./signals/bench.ts')).benchSignals,
};

const options = parseOptions(process.argv.slice(2));
const unknown = options.names.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(
    `bench: no bench named ${unknown.join(', ')}\nhint: one of ${Object.keys(benches).join(', ')}`,
  );
  process.exit(2);
}

installPeers();
console.log(`${machineLine()}\n`);
const all: Table[] = [];
for (const [name, load] of Object.entries(benches)) {
  if (options.names.length > 0 && !options.names.includes(name)) continue;
  const run = await load();
  const tables = await run(options);
  for (const table of tables) printTable(table);
  all.push(...tables);
}
if (options.json !== undefined) writeRecord(options.json, all);
process.exit(0);
