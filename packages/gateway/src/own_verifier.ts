// The verifier that a gateway makes for itself. The issuer is reached beside us, not through its public name, which leads
// back to this very gateway.
import { readFileSync } from 'node:fs';
import { createVerifier, type VerifierOptions } from '@latchkey/core/verifier';
import { authOrigins, type GatewayOptions, type GatewayVerifier } from './options.ts';
import { ConfigurationError } from './options_check.ts';

/** Undefined where no route asks for a token. */
export function createOwnVerifier(options: GatewayOptions): GatewayVerifier | undefined {
  const { issuer, audience } = options;
  if (issuer === undefined || audience === undefined) return undefined;
  const [origin] = authOrigins(options);
  const { pathname } = new URL(issuer);
  const addressAt = (at: string) => new URL(at).origin + pathname;
  const verifierOptions: VerifierOptions = {
    issuer,
    audience,
    agent: options.agent ?? ownAgent(),
    ...(origin === undefined ? {} : { issuerAddress: addressAt(origin) }),
    ...(options.signalsUpstream === undefined ? {} : { signalsAddress: addressAt(options.signalsUpstream) }),
    ...given(options, ['stateFile', 'client', 'signals', 'pollInterval', 'now']),
  };
  try {
    return createVerifier(verifierOptions);
  } catch (error) {
    throw error instanceof TypeError ? new ConfigurationError([error.message]) : error;
  }
}

function given<Name extends keyof GatewayOptions>(
  options: GatewayOptions,
  names: readonly Name[],
): { [Each in Name]?: NonNullable<GatewayOptions[Each]> } {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  ) as { [Each in Name]?: NonNullable<GatewayOptions[Each]> };
}

/** From package.json, which lies one folder up from the source and from the compiled file alike. */
function ownAgent(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return `latchkey-gateway/${(manifest as { version: string }).version}`;
}
