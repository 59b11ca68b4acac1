// Redis as a denylist: the real server where it is installed, and a client that speaks just enough RESP (RESP2, `redis.io/docs/reference/
// protocol-spec`). One connection; commands of one moment leave together, and answers come back in order, which is its best form.
import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { type Child, startChild } from '../harness/children.ts';

export const hasRedis: boolean = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;

/** Loopback, no password, and an append-only file (fsync once a second), so that a restart does not forget who was denied. */
export function startRedis(port: number, folder: string, core?: number): Promise<Child> {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes'];
  return startChild({
    command: ['redis-server', ...options, '--dir', folder],
    ready: /Ready to accept connections/,
    core,
  });
}

type Reply = string | number | null;

export interface Redis {
  /** Rejects on an error reply, without a connection, or after `patience` milliseconds. */
  readonly command: (...words: readonly string[]) => Promise<Reply>;
  readonly close: () => void;
}

interface Waiter {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly since: number;
}

export function createRedis(port: number, patience: number): Redis {
  let socket: Socket | undefined;
  let waiting: Waiter[] = [];
  let unsent = '';
  let received = '';

  const fail = (error: Error): void => {
    const lost = waiting;
    waiting = [];
    received = '';
    unsent = '';
    socket?.destroy();
    socket = undefined;
    for (const { reject } of lost) reject(error);
  };
  const read = (text: string): void => {
    received += text;
    for (let found = parseReply(received); found !== undefined; found = parseReply(received)) {
      received = received.slice(found.length);
      const { reply } = found;
      const waiter = waiting.shift();
      if (reply instanceof Error) waiter?.reject(reply);
      else waiter?.resolve(reply);
    }
  };
  const open = (): Socket => {
    const opened = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
    opened.on('data', read).on('error', fail);
    opened.on('close', () => socket === opened && fail(new Error('Redis closed the connection')));
    return opened;
  };
  const flush = (): void => {
    socket ??= open();
    socket.write(unsent, 'latin1');
    unsent = '';
  };
  const watch = setInterval(() => {
    const oldest = waiting[0];
    if (oldest !== undefined && performance.now() - oldest.since > patience)
      fail(new Error('no answer in time'));
  }, 50);
  watch.unref();

  return {
    command: (...words) =>
      new Promise((resolve, reject) => {
        if (unsent === '') setImmediate(flush);
        unsent += `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
        waiting.push({ resolve, reject, since: performance.now() });
      }),
    close() {
      clearInterval(watch);
      socket?.removeAllListeners('close').destroy();
    },
  };
}

/** Simple strings, errors, integers and bulk strings; undefined while the reply is not all here. */
function parseReply(text: string): { readonly reply: Reply | Error; readonly length: number } | undefined {
  const end = text.indexOf('\r\n');
  if (end < 0) return undefined;
  const line = text.slice(1, end);
  const length = end + 2;
  if (text.startsWith(':')) return { reply: Number(line), length };
  if (text.startsWith('-')) return { reply: new Error(`Redis: ${line}`), length };
  if (!text.startsWith('$')) return { reply: line, length };
  const size = Number(line);
  if (size < 0) return { reply: null, length };
  if (text.length < length + size + 2) return undefined;
  return { reply: text.slice(length, length + size), length: length + size + 2 };
}
