// The load client: one keep-alive connection, one request at a time, on `net`. Node's own HTTP client costs more a
// request than some of the servers under test; this one reads just what is needed to find the end of an answer.
// It is for answers of servers we started, not for hostile ones.
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  /** The head as it came, for `headerOf`. */
  readonly head: string;
  readonly body: string;
}

export interface Connection {
  /** Sends the bytes as they are and waits for the whole answer. */
  readonly send: (request: string) => Promise<Answer>;
  readonly close: () => void;
}

interface Waiter {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

export function openConnection(port: number, host = '127.0.0.1'): Connection {
  let socket: Socket | undefined;
  let waiter: Waiter | undefined;
  let received = '';

  const fail = (error: Error): void => {
    const waiting = waiter;
    waiter = undefined;
    socket?.destroy();
    socket = undefined;
    waiting?.reject(error);
  };
  const read = (text: string): void => {
    received = received === '' ? text : received + text;
    const answer = waiter === undefined ? undefined : parseAnswer(received);
    if (answer === undefined) return;
    const waiting = waiter;
    waiter = undefined;
    received = '';
    if (/\r\nconnection: close\r\n/i.test(answer.head)) dispose();
    waiting?.resolve(answer);
  };
  const dispose = (): void => {
    socket?.removeAllListeners('close');
    socket?.destroy();
    socket = undefined;
  };
  const open = (): Socket => {
    const opened = connect({ port, host, noDelay: true });
    opened.setEncoding('latin1');
    opened.on('data', read);
    opened.on('error', fail);
    opened.on('close', () => {
      if (socket === opened) fail(new Error('connection closed by the server'));
    });
    return opened;
  };
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiter = { resolve, reject };
        received = '';
        socket ??= open();
        socket.write(request, 'latin1');
      }),
    close: dispose,
  };
}

function parseAnswer(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = text.slice(0, end + 2);
  const status = Number(text.slice(9, 12));
  const from = end + 4;
  if (status === 204 || status === 304) return { status, head, body: '' };
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) return parseChunked(text, from, status, head);
  const until = from + Number(length);
  return text.length < until ? undefined : { status, head, body: text.slice(from, until) };
}

function parseChunked(text: string, from: number, status: number, head: string): Answer | undefined {
  let body = '';
  for (let at = from; ; ) {
    const line = text.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    if (text.length < line + 4 + size) return undefined;
    if (size === 0) return { status, head, body };
    body += text.slice(line + 2, line + 2 + size);
    at = line + 4 + size;
  }
}

export function headerOf(answer: Answer, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}: *([^\\r]*)`, 'i').exec(answer.head)?.[1];
}

export interface RequestParts {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request as bytes; what does not change between requests is best built once by the caller. */
export function buildRequest({ method, path, headers = {}, body }: RequestParts): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = body === undefined ? '' : `content-length: ${Buffer.byteLength(body, 'latin1')}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}${length}\r\n${body ?? ''}`;
}

export function jsonRequest(
  path: string,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): string {
  const body = JSON.stringify(value);
  return buildRequest({
    method: 'POST',
    path,
    headers: { ...headers, 'content-type': 'application/json' },
    body,
  });
}

export function formRequest(
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): string {
  const body = new URLSearchParams(fields).toString();
  return buildRequest({
    method: 'POST',
    path,
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
}
