// Receivers that answer badly, slowly or without end: each attempt ends in time with a word from a closed set.
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { createPushAgent, pushEvent } from './push_request.ts';
import { createAddressPolicy } from './receiver_address.ts';

const sockets = new Set<Socket>();
let reply: (socket: Socket) => void = () => {};
const receiver = createServer((socket) => {
  sockets.add(socket.on('error', () => {}));
  socket.once('data', () => reply(socket));
});
let endpoint = '';
before(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(receiver.address() as { port: number }).port}/`;
});
after(() => {
  for (const socket of sockets) socket.destroy();
  receiver.close();
});

async function outcome(timeout: number, signal = new AbortController().signal, to = endpoint) {
  const agent = createPushAgent(to);
  const addresses = createAddressPolicy([], 'http://127.0.0.1/auth');
  try {
    return await pushEvent({
      endpoint: to,
      agent,
      addresses,
      authorization: undefined,
      token: 'a.b.c',
      timeout,
      signal,
    });
  } finally {
    agent.destroy();
  }
}

const json = (status: string, body: string) =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const endless = (socket: Socket, head: string) => {
  socket.write(head);
  const more = setInterval(() => socket.write('x'.repeat(1000)), 1);
  socket.on('close', () => clearInterval(more));
};

const long = 60_000;
const answers: Readonly<Record<string, readonly [(socket: Socket) => unknown, object, number?]>> = {
  taken: [(socket) => socket.write(json('202 Accepted', '')), { kind: 'taken' }],
  'taken, with an endless body': [
    (socket) => endless(socket, 'HTTP/1.1 202 Accepted\r\n\r\n'),
    { kind: 'taken' },
  ],
  'no good': [
    (socket) => socket.write(json('400 Bad Request', '{"err":"invalid_request","description":"x"}')),
    { kind: 'refused', error: 'invalid_request' },
  ],
  'no key': [
    (socket) => socket.write(json('400 Bad Request', '{"err":"invalid_key"}')),
    { kind: 'failed', error: 'invalid_key' },
  ],
  'a code of its own': [
    (socket) => socket.write(json('400 Bad Request', '{"err":"\\u001b[31m"}')),
    { kind: 'failed', error: 'other' },
  ],
  'not JSON': [(socket) => socket.write(json('400 Bad Request', 'no')), { kind: 'failed', error: 'other' }],
  null: [(socket) => socket.write(json('400 Bad Request', 'null')), { kind: 'failed', error: 'other' }],
  'an endless refusal': [
    (socket) => endless(socket, 'HTTP/1.1 400 Bad Request\r\n\r\n{"err":"invalid_request","x":"'),
    { kind: 'failed', error: 'other' },
  ],
  'another protocol': [
    (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    { kind: 'failed', error: 'unreachable' },
  ],
  'not HTTP': [(socket) => socket.write('SSH-2.0-x\r\n\r\n'), { kind: 'failed', error: 'unreachable' }],
  'a closed connection': [(socket) => socket.destroy(), { kind: 'failed', error: 'unreachable' }],
  'half an answer': [
    (socket) => socket.end('HTTP/1.1 202 Accepted\r\ncontent-length: 9\r\n\r\nx'),
    { kind: 'failed', error: 'unreachable' },
  ],
  silence: [() => {}, { kind: 'failed', error: 'timeout' }, 100],
  'half an answer, and then silence': [
    (socket) => socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 9\r\n\r\nx'),
    { kind: 'failed', error: 'timeout' },
    100,
  ],
};

for (const [name, [action, expected, timeout]] of Object.entries(answers)) {
  test(name, async () => {
    reply = action;
    assert.deepEqual(await outcome(timeout ?? long), expected);
  });
}

test('nobody there, a name that is none, an address that is not allowed, and the end of the server', async () => {
  const failed = (error: string) => ({ kind: 'failed', error });
  const none = new AbortController().signal;
  assert.deepEqual(await outcome(long, none, 'http://127.0.0.1:1/'), failed('unreachable'));
  assert.deepEqual(await outcome(long, none, 'https://10.0.0.1/'), failed('address_refused'));
  const ending = new AbortController();
  reply = () => ending.abort();
  assert.deepEqual(await outcome(long, ending.signal), failed('unreachable'));
});
