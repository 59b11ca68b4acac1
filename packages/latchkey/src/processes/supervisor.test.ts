import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import type { ChildPlan } from './child.ts';
import { freePorts } from './ports.ts';
import { createSupervisor } from './supervisor.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-supervisor-'));
after(() => rmSync(folder, { recursive: true }));

function program(name: string, text: string): ChildPlan {
  const entry = join(folder, `${name}.mjs`);
  writeFileSync(entry, text);
  return { name, entry, env: process.env, logFile: join(folder, 'logs', `${name}.log`) };
}

function observed() {
  const remarks: string[] = [];
  const lines: string[] = [];
  let wake = () => {};
  const supervisor = createSupervisor({
    line: (name, { level, text }) => lines.push(`${name} ${level} ${text}`),
    remark: (text) => {
      remarks.push(text);
      wake();
    },
  });
  const until = async (wanted: RegExp) => {
    while (!remarks.some((remark) => wanted.test(remark)))
      await new Promise<void>((resolve) => (wake = resolve));
  };
  return { supervisor, remarks, lines, until };
}

const waiting = 'setInterval(() => {}, 1000);';

test('a program that listens counts as ready when its port answers; one that says so, when it does', async () => {
  const { supervisor } = observed();
  const [port] = await freePorts(1);
  const listens = program(
    'listens',
    `import { createServer } from 'node:net'; setTimeout(() => createServer().listen(${port}, '127.0.0.1'), 50);`,
  );
  const ready = await supervisor.start({ ...listens, port: port! });
  assert.equal(ready.address, `http://127.0.0.1:${port}`);
  await supervisor.start(program('says', `process.send('ready'); ${waiting}`));
  assert.deepEqual(Object.keys(supervisor.pids()), ['listens', 'says']);
  await supervisor.stop();
});

test('one that ends before it is ready fails the start, with what it said last', async () => {
  const { supervisor } = observed();
  const broken = program('broken', "console.error('no such table'); process.exit(3);");
  await assert.rejects(supervisor.start(broken), {
    message: /^broken did not start \(exit code 3\)\nno such table$/,
    hint: /broken\.log$/,
  });
  await supervisor.stop();
});

test('one that crashes later is started again, and its new self can be stopped', async () => {
  const { supervisor, until } = observed();
  await supervisor.start(program('fragile', `process.send('ready'); ${waiting}`));
  const first = supervisor.pids()['fragile']!;
  process.kill(first, 'SIGKILL');
  await until(/fragile is back/);
  const second = supervisor.pids()['fragile']!;
  assert.notEqual(second, first);
  await supervisor.stop();
  assert.throws(() => process.kill(second, 0), { code: 'ESRCH' });
});

test('stopping goes backwards, and nothing is started again', async () => {
  const { supervisor, lines, remarks } = observed();
  const orderly =
    "process.on('SIGTERM', () => { console.log('stopped'); process.exit(0); }); process.send('ready');";
  for (const name of ['first', 'second', 'third']) await supervisor.start(program(name, orderly + waiting));
  await supervisor.stop();
  assert.deepEqual(lines, ['third 30 stopped', 'second 30 stopped', 'first 30 stopped']);
  assert.deepEqual(remarks, []);
});

test('what a child writes is in its log file, which only we can read', async () => {
  const { supervisor } = observed();
  const plan = program(
    'talks',
    `console.log('hello'); console.error('careful'); process.send('ready'); ${waiting}`,
  );
  await supervisor.start(plan);
  await supervisor.stop();
  assert.deepEqual(readFileSync(plan.logFile, 'utf8').split('\n').sort(), ['', 'careful', 'hello']);
  assert.equal(statSync(plan.logFile).mode & 0o777, 0o600);
});

test('work is handed over the channel, and a failure comes back over it with its hint', async () => {
  const { supervisor } = observed();
  const refuses =
    "process.once('message', (work) => process.send({ type: 'latchkey:failed', message: work.text, hint: 'h' }, () => process.exit(1)));";
  const plan = {
    ...program('refuses', `process.channel.ref(); ${refuses}`),
    work: { text: 'port 1 is taken' },
  };
  await assert.rejects(supervisor.start(plan), { message: 'port 1 is taken', hint: 'h' });
  await supervisor.stop();
});
