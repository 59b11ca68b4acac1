// Ports, and the clock of another machine where the settings name one. Nothing is asked of anybody but the operator's
// own addresses.
import { isDeepStrictEqual } from 'node:util';
import { connectAdmin, socketPathOf } from '../admin/admin.ts';
import { isFree } from '../processes/ports.ts';
import { isLoopback, type Settings } from '../settings/settings.ts';
import { settingNamed, titleOf } from '../settings/table.ts';
import { bad, type Finding, good, look } from './finding.ts';

const jwksPath = '/auth/.well-known/jwks.json';

export async function checkPorts(settings: Settings): Promise<Finding[]> {
  const running = await connectAdmin(socketPathOf(settings));
  const ours = (await running?.send('GET', jwksPath))?.body;
  const wanted = [
    ['port', settings.port, settings.host],
    ['authPort', settings.authPort, settings.authHost],
    ['internalPort', settings.given<number>('internalPort') ?? 0, '127.0.0.1'],
    ['gatewayInternalPort', settings.given<number>('gatewayInternalPort') ?? 0, '127.0.0.1'],
  ] as const;
  return Promise.all(
    wanted
      .filter(([, port]) => port !== 0)
      .map(([name, port, host]) => checkPort(name, port, host, settings, ours)),
  );
}

async function checkPort(
  name: string,
  port: number,
  host: string,
  settings: Settings,
  ours: unknown,
): Promise<Finding> {
  const check = `port ${port}`;
  if (await isFree(port, host)) return good(check, 'free');
  if (ours !== undefined && (await hasKeys(port, host, ours)))
    return good(check, 'in use by the running system');
  const title = titleOf(settingNamed(name)!);
  if (settings.sourceOf(name) === undefined) {
    return look(
      check,
      'another program uses it; latchkey will take a free one',
      `name the one you want: ${title}`,
    );
  }
  return bad(
    check,
    'another program uses it',
    `stop that program, or change ${title}; ss -ltnp shows who it is`,
  );
}

/** Whether what listens there publishes the keys of our own auth server: the auth server itself, or the gateway before it. */
async function hasKeys(port: number, host: string, ours: unknown): Promise<boolean> {
  try {
    const answer = await fetch(`http://${host}:${port}${jwksPath}`, { signal: AbortSignal.timeout(2_000) });
    return isDeepStrictEqual(await answer.json(), ours);
  } catch {
    return false;
  }
}

/** @param now milliseconds */
export async function checkFarClock(settings: Settings, now: () => number): Promise<Finding[]> {
  const address = settings.given<string>('authUrl') ?? settings.given<string>('publicUrl');
  if (address === undefined || isLoopback(new URL(address).hostname)) return [];
  try {
    const answer = await fetch(address + jwksPath, {
      redirect: 'error',
      signal: AbortSignal.timeout(3_000),
    });
    await answer.body?.cancel();
    const seconds = Math.round((Date.parse(answer.headers.get('date') ?? '') - now()) / 1000);
    if (Number.isNaN(seconds))
      return [look('far clock', `${address} does not say what time it is`, 'compare the clocks by hand')];
    if (Math.abs(seconds) < 5) return [good('far clock', `${address} agrees with this machine`)];
    return [
      bad(
        'far clock',
        `${address} is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`,
        'run NTP on both machines; verifiers tolerate 30 s',
      ),
    ];
  } catch {
    return [
      look(
        'far clock',
        `${address} does not answer`,
        'fine when it is not started yet; otherwise check DNS, TLS and firewall',
      ),
    ];
  }
}
