import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrameReader, type Frame, StreamFault } from './event_stream.ts';

function read(bytes: Uint8Array, size: number): Frame[] {
  const frames: Frame[] = [];
  const take = createFrameReader((frame) => frames.push(frame));
  for (let at = 0; at < bytes.length; at += size) take(bytes.subarray(at, at + size));
  return frames;
}

const text = [
  ': a comment\n\n',
  'id: e-1-t\nevent: revoke\ndata: {"value":"ä€😀"}\n\n',
  'event:heartbeat\r\ndata:{}\r\nretry: 5\r\n\r\n',
  'data: a\ndata\ndata:  b\n\n',
  'event: lost\ndata: the stream ends in the middle of it\n',
].join('');

test('the same frames, however the bytes are cut', () => {
  const bytes = new TextEncoder().encode(text);
  const expected = [
    { event: 'revoke', data: '{"value":"ä€😀"}', id: 'e-1-t' },
    { event: 'heartbeat', data: '{}', id: undefined },
    { event: 'message', data: 'a\n\n b', id: undefined },
  ];
  for (let size = 1; size <= bytes.length; size += 1)
    assert.deepEqual(read(bytes, size), expected, `${size}`);
});

test('lines and frames without end, and broken UTF-8, are faults', () => {
  assert.throws(() => read(Buffer.from(`data: ${'x'.repeat(8_200)}`), 100), StreamFault);
  assert.throws(() => read(Buffer.from(`data: ${'x'.repeat(8_200)}\n\n`), 10_000), StreamFault);
  assert.throws(() => read(Buffer.from(`data: ${'x'.repeat(4_000)}\n`.repeat(5)), 100), StreamFault);
  assert.throws(() => read(Buffer.from([0x64, 0xff, 0x0a]), 3), StreamFault);
});
