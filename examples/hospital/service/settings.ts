// What a service is told through its environment; all faults are reported at once.
//
//   PORT, HOST            where to listen; 127.0.0.1 and a free port by default
//   DATA_DIR              the folder of the service's own database
//   LATCHKEY_ISSUER       who signs the tokens, for example https://hospital.example/auth
//   LATCHKEY_AUDIENCE     whom the tokens are for, for example https://hospital.example
//   LATCHKEY_ISSUER_ADDRESS  where the issuer is reached from here, when not at its public name
//   LATCHKEY_SIGNALS_ADDRESS  where revocations are read, when not beside the issuer
//   LATCHKEY_CLIENT_ID, LATCHKEY_CLIENT_SECRET  the client that this service is registered as, so that it is listed
//   HOSPITAL_PEOPLE       JSON {"username":"sub"}: whose the sample patients are, see samples.ts

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly issuer: string;
  readonly audience: string;
  readonly issuerAddress: string | undefined;
  readonly signalsAddress: string | undefined;
  readonly client: { readonly id: string; readonly secret: string } | undefined;
  readonly people: Readonly<Record<string, string>>;
}

export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const faults: string[] = [];
  const required = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '') faults.push(`${name} is not set`);
    return value ?? '';
  };
  const port = env['PORT'] ?? '0';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) faults.push('PORT is not a port number');
  const settings: Settings = {
    host: env['HOST'] ?? '127.0.0.1',
    port: Number(port),
    dataDir: required('DATA_DIR'),
    issuer: required('LATCHKEY_ISSUER'),
    audience: required('LATCHKEY_AUDIENCE'),
    issuerAddress: env['LATCHKEY_ISSUER_ADDRESS'],
    signalsAddress: env['LATCHKEY_SIGNALS_ADDRESS'],
    client: readClient(env, faults),
    people: readStrings('HOSPITAL_PEOPLE', env['HOSPITAL_PEOPLE'], faults),
  };
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return settings;
}

/** Both or none: a service without a client reads revocations all the same, but nobody waits for it. */
function readClient(
  env: Readonly<Record<string, string | undefined>>,
  faults: string[],
): { readonly id: string; readonly secret: string } | undefined {
  const [id = '', secret = ''] = [env['LATCHKEY_CLIENT_ID'], env['LATCHKEY_CLIENT_SECRET']];
  if (id === '' && secret === '') return undefined;
  if (id === '' || secret === '')
    faults.push('LATCHKEY_CLIENT_ID and LATCHKEY_CLIENT_SECRET belong together');
  return { id, secret };
}

/** A JSON object of strings, or `{}` when nothing is given. */
export function readStrings(
  name: string,
  json: string | undefined,
  faults: string[],
): Record<string, string> {
  if (json === undefined || json === '') return {};
  try {
    const value: unknown = JSON.parse(json);
    if (
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((entry) => typeof entry === 'string')
    ) {
      return value as Record<string, string>;
    }
  } catch {
    // Said below: the text itself may hold what does not belong on a screen.
  }
  faults.push(`${name} is not a JSON object of strings`);
  return {};
}
