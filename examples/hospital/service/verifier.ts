// The verifier of a service: the issuer and the audience are all that it needs. The rest is for a service that its operators
// want to see: a name, a client of its own, and a copy of keys and revocations for a start while the issuer is away.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createVerifier, type Verifier } from '@latchkey/core/verifier';
import type { Settings } from './settings.ts';

/** @param name such as `records` */
export function createServiceVerifier(name: string, settings: Settings): Verifier {
  const { issuer, audience, issuerAddress, signalsAddress, client, dataDir } = settings;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return createVerifier({
    issuer,
    audience,
    agent: `hospital-${name}`,
    stateFile: join(dataDir, 'verifier.json'),
    ...(issuerAddress === undefined ? {} : { issuerAddress }),
    ...(signalsAddress === undefined ? {} : { signalsAddress }),
    ...(client === undefined ? {} : { client }),
  });
}
