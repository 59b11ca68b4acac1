// A client that writes exactly the bytes it is given and reads answers by their framing: the attacks here are spellings that
// no proper client would send.
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Lower-case names, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface RawClient {
  readonly socket: Socket;
  /** Writes the bytes (latin1) and waits for one answer; rejects when the connection ends without one. */
  send(bytes: string, method?: string): Promise<RawAnswer>;
  /** Waits for one more answer, for requests sent together. */
  answer(method?: string): Promise<RawAnswer>;
  close(): void;
}

export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  let buffer = '';
  let ended = false;
  let wake = () => {};
  socket.on('data', (chunk) => {
    buffer += chunk.toString('latin1');
    wake();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    ended = true;
    wake();
  });
  await new Promise((resolve) => socket.once('connect', resolve));

  const more = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  const answer = async (method = 'GET'): Promise<RawAnswer> => {
    for (;;) {
      const read = readAnswer(buffer, method, ended);
      if (read !== undefined) {
        buffer = buffer.slice(read.length);
        if (read.answer.status === 100) continue;
        return read.answer;
      }
      if (ended) throw new Error(`the connection ended after ${JSON.stringify(buffer.slice(0, 200))}`);
      await more();
    }
  };
  return {
    socket,
    answer,
    send(bytes, method) {
      socket.write(bytes, 'latin1');
      return answer(method);
    },
    close: () => socket.destroy(),
  };
}

/** One request on a connection of its own; undefined when it was closed without an answer. */
export async function sendOnce(port: number, bytes: string, method?: string): Promise<RawAnswer | undefined> {
  const client = await rawClient(port);
  try {
    return await client.send(bytes, method);
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}

export function headersNamed(answer: RawAnswer, name: string): string[] {
  return answer.headers.filter(([field]) => field === name).map(([, value]) => value);
}

function readAnswer(
  buffer: string,
  method: string,
  ended: boolean,
): { answer: RawAnswer; length: number } | undefined {
  const end = buffer.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = buffer.slice(0, end).split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const status = Number(first.split(' ')[1]);
  const start = end + 4;
  const done = (body: string, length: number) => ({ answer: { status, headers, body }, length });
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return done('', start);
  const value = (name: string) => headers.find(([field]) => field === name)?.[1];
  const length = value('content-length');
  if (length !== undefined) {
    const stop = start + Number(length);
    return buffer.length < stop ? undefined : done(buffer.slice(start, stop), stop);
  }
  if (value('transfer-encoding') === 'chunked') return readChunks(buffer, start, done);
  return ended ? done(buffer.slice(start), buffer.length) : undefined;
}

function readChunks<Done>(
  buffer: string,
  start: number,
  done: (body: string, length: number) => Done,
): Done | undefined {
  let body = '';
  for (let at = start; ; ) {
    const line = buffer.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(buffer.slice(at, line), 16);
    if (buffer.length < line + 2 + size + 2) return undefined;
    if (size === 0) return done(body, line + 4);
    body += buffer.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}
