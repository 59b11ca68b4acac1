// The hashing process: argon2id and nothing else, at the lowest priority, so that hashing takes only what everything else
// leaves over. It ends with its parent: when the channel closes, it exits.
import { setPriority } from 'node:os';
import { hash, parsePhc, verify } from './argon2.ts';
import type { HashingAnswer, HashingRequest } from './hasher.ts';

setPriority(19);
process.on('disconnect', () => process.exit(0));
// A terminal's Ctrl-C reaches the whole group; the parent decides when hashing ends.
process.on('SIGINT', () => {});

process.on('message', (request: HashingRequest) => {
  answer(request).then(
    (result) => process.send?.(result),
    () => process.send?.({ id: request.id, failed: true } satisfies HashingAnswer),
  );
});

async function answer(request: HashingRequest): Promise<HashingAnswer> {
  if (request.kind === 'hash')
    return { id: request.id, hash: await hash(request.password, request.parameters) };
  const matches = await verify(request.hash, request.password);
  return {
    id: request.id,
    matches,
    outdated: matches && parsePhc(request.hash) !== parsePhc(request.current),
  };
}

process.send?.({ ready: true });
