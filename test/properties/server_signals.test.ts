// From random deeds of administrators and holders at the real server, over a network that cuts, delays and swallows, to a real
// verifier: once it has what was committed, every token meets the fate that the deeds gave it, and before that nobody is refused
// who need not be. LATCHKEY_SERVER_HISTORIES plays more of them, LATCHKEY_SEED others.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import {
  answerOf,
  createDeeds,
  type Deeds,
  inStep,
  roles,
  type ServerWorld,
  startServerWorld,
} from './server_world.ts';

/** Several side by side: most of the time they wait for a network to come back. */
let worlds: ServerWorld[];
before(async () => {
  worlds = await Promise.all(Array.from({ length: 3 }, startServerWorld));
});
after(() => Promise.all(worlds.map((world) => world.close())));

/** `on` and `with` choose among what there is. */
interface Deed {
  readonly name: keyof typeof deeds;
  readonly on: number;
  readonly with: number;
}

const pick = <T>(items: readonly T[], n: number): T => items[n % items.length] as T;

const deeds = {
  signIn: (d: Deeds, { on }: Deed) => d.signIn(pick(d.people, on)),
  refresh: (d: Deeds, { on }: Deed) => d.refresh(pick(d.model.sessions, on)),
  replaySpent: (d: Deeds, { on }: Deed) => d.replaySpent(pick(d.model.sessions, on)),
  endSession: (d: Deeds, { on }: Deed) => d.endSession(pick(d.model.sessions, on)),
  endAll: (d: Deeds, { on }: Deed) => d.endAll(pick(d.people, on)),
  disable: (d: Deeds, { on }: Deed) => d.disable(pick(d.people, on), true),
  enable: (d: Deeds, { on }: Deed) => d.disable(pick(d.people, on), false),
  remove: (d: Deeds, { on }: Deed) => d.remove(pick(d.people, on)),
  setPassword: (d: Deeds, { on }: Deed) => d.setPassword(pick(d.people, on)),
  changePassword: (d: Deeds, { on }: Deed) => d.changePassword(pick(d.model.tokens, on)),
  setRoles: (d: Deeds, { on, with: which }: Deed) =>
    d.setRoles(
      pick(d.people, on),
      roles.filter((_, role) => (which >> role) % 2 === 1),
    ),
  shake: (d: Deeds, { on }: Deed) => d.shake(pick(roles, on)),
  replaceRole: (d: Deeds, { on }: Deed) => d.replaceRole(pick(roles, on)),
  rename: (d: Deeds, { on }: Deed) => d.rename(pick(d.people, on)),
  killToken: (d: Deeds, { on }: Deed) => d.killToken(pick(d.model.tokens, on)),
  passingClient: (d: Deeds, { on }: Deed) => d.passingClient(pick(d.people, on)),
  rotate: (d: Deeds) => d.rotate(),
  removeKey: (d: Deeds) => d.removeKey(),
};

type Network = 'well' | 'cut' | 'swallow' | 'refuse' | 'delay' | 'cutAfter';

interface Move extends Deed {
  readonly network: Network;
}

const move: fc.Arbitrary<Move> = fc.record({
  name: fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...(Object.keys(deeds) as (keyof typeof deeds)[])) },
    { weight: 10, arbitrary: fc.constantFrom('refresh' as const, 'signIn' as const) },
  ),
  on: fc.nat(40),
  with: fc.nat(7),
  network: fc.constantFrom('well', 'well', 'cut', 'swallow', 'refuse', 'delay', 'cutAfter'),
});

function disturb(world: ServerWorld, network: Network, amount: number): void {
  const { proxy } = world;
  if (network === 'cut') proxy.cut();
  if (network === 'cutAfter') proxy.cutAfter(amount * 40);
  if (network === 'delay') proxy.delay = 20 + amount;
  if (network === 'swallow') {
    proxy.swallow();
    // Noticed by its silence, which need not be waited for.
    world.moved += 6_100;
  }
  if (network === 'refuse') {
    proxy.mode = 'refuse';
    proxy.cut();
  }
}

async function play(world: ServerWorld, moves: readonly Move[]): Promise<void> {
  const { verifier } = world;
  const d = createDeeds(world);
  for (let i = 0; i < 2; i += 1) await d.signIn(await d.newPerson());
  for (const one of moves) {
    disturb(world, one.network, one.on);
    await deeds[one.name](d, one);
    for (const { text, fate } of d.model.tokens) {
      if (fate !== 'accepted') continue;
      const answer = await answerOf(verifier, text);
      assert.ok(answer === 'accepted' || answer === 'unknown_key', `${one.name}: ${answer} too much`);
    }
    if (one.network !== 'well' && one.with < 4) continue;
    await inStep(world);
    await compare(world, d, one.name);
  }
  await inStep(world);
  await compare(world, d, 'the end');
}

async function compare(world: ServerWorld, d: Deeds, when: string): Promise<void> {
  for (const { text, fate, jti } of d.model.tokens) {
    let answer = await answerOf(world.verifier, text);
    // A key that is gone from the key set is unknown, which is as good as revoked.
    if (fate === 'revoked' && answer === 'unknown_key') answer = 'revoked';
    assert.equal(answer, fate, `${jti} after ${when}`);
  }
}

test('every token meets its fate, whatever the network does', async () => {
  const count = Number(process.env['LATCHKEY_SERVER_HISTORIES'] ?? 6);
  const seed = Number(process.env['LATCHKEY_SEED'] ?? 11);
  const moves = fc.array(move, { minLength: 4, maxLength: 16, size: 'max' });
  const runs = worlds.map((world, lane) => {
    const property = fc.asyncProperty(moves, (list) => play(world, list));
    return fc.assert(property, { numRuns: Math.ceil(count / worlds.length), seed: seed * 100 + lane });
  });
  await Promise.all(runs);
});
