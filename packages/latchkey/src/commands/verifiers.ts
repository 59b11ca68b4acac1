// `latchkey verifiers`: the fleet. Each line is one process that is registered, with how far it has come: what it enforces is
// what it has applied, and one that cannot be heard of must stop trusting what it has at `safe at`.
import { collect, type VerifierView } from '../admin/answers.ts';
import { print, printable, printJson, styled, table, when } from '../terminal/print.ts';
import { withAdmin } from './administer.ts';
import { type Command, jsonOption, locateOptions } from './command.ts';
import { shortInstance } from './receipt.ts';

export const verifiers: Command = {
  usage: 'verifiers',
  about:
    'Only registered ones are known: those that have a client (latchkey client create). Others read the signals as well\nand enforce them as fast, but nobody waits for them. One that is gone is shown until it must have stopped trusting what it has.',
  options: { ...locateOptions, ...jsonOption },
  async run(input) {
    await withAdmin(input, async (admin) => {
      const found = await collect<VerifierView>(admin, '/auth/admin/verifiers', 'verifiers');
      const fleet = found.toSorted((one, other) => (one.name < other.name ? -1 : 1));
      if (input.has('json')) return printJson(fleet);
      if (fleet.length === 0) return printNobody(admin.running);
      print(
        table(
          header,
          fleet.map((each) => rowOf(each, Date.now())),
        ),
      );
    });
  },
};

const header = ['verifier', 'instance', 'version', 'connected', 'applied', 'lag', 'last seen', 'safe at'];

function rowOf(verifier: VerifierView, now: number): string[] {
  const { name, instance, version, connected, connected_at, seen_at, seq, lag, safe_at } = verifier;
  return [
    printable(name),
    shortInstance(instance),
    printable(version).slice(0, 40),
    connected ? `since ${when(connected_at)}` : 'no',
    seq === undefined ? '-' : String(seq),
    lag === undefined || lag === 0 ? '-' : String(lag),
    ago(now - Date.parse(seen_at)),
    when(safe_at),
  ];
}

/** `3 s ago`. */
export function ago(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}

function printNobody(running: boolean): void {
  if (!running) {
    print('the auth server is not running, so nobody is connected to it');
    return;
  }
  print('no verifier is registered');
  print(styled('dim', 'latchkey start registers its own; for a gateway or service elsewhere:'));
  print('  latchkey client create edge-1 --secret-file edge-1.secret');
  print(
    '  LATCHKEY_GATEWAY_CLIENT_ID=cli_… LATCHKEY_GATEWAY_CLIENT_SECRET_FILE=edge-1.secret latchkey gateway',
  );
  print("  createVerifier({ issuer, audience, client: { id: 'cli_…', secret } })");
}
