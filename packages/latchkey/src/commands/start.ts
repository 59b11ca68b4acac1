// `latchkey start`: everything, on one machine, until Ctrl-C. The screen gets a short summary, then only what a person
// should know; all the rest is in the log files.
import type { Route } from '@latchkey/gateway';
import { loadExample } from '../processes/example.ts';
import { formatLogLine, type LogLine } from '../processes/log_lines.ts';
import { printSummary } from '../processes/summary.ts';
import { createSupervisor, type Supervisor } from '../processes/supervisor.ts';
import { type RunningSystem, startSystem } from '../processes/system.ts';
import { readSettings, type Settings } from '../settings/settings.ts';
import { note, print, printJson } from '../terminal/print.ts';
import { type Command, jsonOption, settingOptions } from './command.ts';

export const start: Command = {
  usage: 'start',
  about:
    'Starts the auth server, the gateway and the services of the configuration, and keeps them running.\nCtrl-C stops them in order; a second Ctrl-C does not wait.',
  options: {
    ...settingOptions(),
    example: {
      type: 'string',
      value: 'NAME',
      about: 'Run an example behind the gateway, with sample people: hospital',
    },
    verbose: { type: 'boolean', about: 'Show every log line, not only warnings' },
    ...jsonOption,
  },
  examples: [
    'latchkey start',
    'latchkey start --example hospital',
    'latchkey start --port 9000 --data-dir /var/lib/latchkey',
  ],
  async run(input) {
    const begun = performance.now();
    const settings = await readSettings({ flags: input.flags });
    const named = input.text('example');
    const loaded = named === undefined ? undefined : await loadExample(named, process.cwd());
    const supervisor = createSupervisor({
      line: lineShower(input.has('verbose')),
      remark: (text) => note(`latchkey: ${text}`),
    });
    const end = stopOnSignal(supervisor);
    let system: RunningSystem;
    try {
      system = await startSystem(settings, loaded, supervisor);
    } catch (error) {
      if (end.asked()) await end.stopped.then(() => process.exit(130)); // what failed was stopped by the signal
      await supervisor.stop();
      throw error;
    }
    const seconds = (performance.now() - begun) / 1000;
    if (input.has('json')) printJson(forScripts(system, supervisor));
    else showSummary(system, settings, seconds, loaded?.example);
    await end.stopped;
    process.exit(0);
  },
};

function lineShower(verbose: boolean): (name: string, line: LogLine) => void {
  return (name, line) => {
    if (verbose || line.level >= 40) print(formatLogLine(name, 12, line));
  };
}

interface End {
  readonly asked: () => boolean;
  /** Resolves once everything has stopped. */
  readonly stopped: Promise<void>;
}

/** The first signal stops everything in order; the second one ends it all at once. */
function stopOnSignal(supervisor: Supervisor): End {
  let asked = false;
  const stopped = new Promise<void>((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      if (asked) {
        supervisor.kill();
        process.exit(130);
      }
      asked = true;
      if (signal === 'SIGINT' && process.stderr.isTTY)
        note('\nlatchkey: stopping; Ctrl-C again does not wait');
      supervisor.stop().then(resolve, resolve);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  });
  return { asked: () => asked, stopped };
}

function forScripts({ publicUrl, auth, gateway, people }: RunningSystem, supervisor: Supervisor): object {
  return {
    public_url: publicUrl,
    pid: process.pid,
    auth: { address: auth.address, internal: auth.internal, socket: auth.socket },
    gateway: { address: gateway.address, internal: gateway.internal },
    pids: supervisor.pids(),
    people: people.map(({ username, password, roles }) => ({ username, password, roles })),
    ...(auth.firstAdmin !== undefined && { first_admin: auth.firstAdmin }),
  };
}

function showSummary(
  system: RunningSystem,
  settings: Settings,
  seconds: number,
  example: { readonly name: string; readonly tryPath?: string } | undefined,
): void {
  const { publicUrl, people, remarks, routes } = system;
  printSummary({
    seconds,
    publicUrl,
    title: example === undefined ? undefined : `The ${example.name}`,
    dataDir: settings.dataDir,
    people,
    firstAdmin: system.auth.firstAdmin,
    adminName: settings.given('admin.username') ?? 'admin',
    tryPath: example?.tryPath ?? readablePath(routes) ?? '/auth/me',
    remarks,
  });
}

/** A path that anybody who is signed in may read. */
function readablePath(routes: readonly Route[]): string | undefined {
  return routes.find(
    ({ access, methods }) => access === 'authenticated' && (methods ?? ['GET']).includes('GET'),
  )?.prefix;
}
