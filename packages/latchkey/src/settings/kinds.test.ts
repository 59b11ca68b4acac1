import assert from 'node:assert/strict';
import test from 'node:test';
import { duration, durationText, flag, list, oneOf, port, type Reading, text, url, whole } from './kinds.ts';

function accepts(reading: Reading, value: unknown): void {
  assert.deepEqual(reading, { value });
}

function refuses(...readings: Reading[]): void {
  for (const reading of readings) assert.ok('fault' in reading, JSON.stringify(reading));
}

test('a port is a whole number, and nothing that only looks like one', () => {
  accepts(port.fromText('8080'), 8080);
  accepts(port.fromConfig(0), 0);
  refuses(
    port.fromText('80a'),
    port.fromText('-1'),
    port.fromText('1e3'),
    port.fromText('65536'),
    port.fromText(' 80'),
  );
  refuses(port.fromConfig('8080'), port.fromConfig(80.5), port.fromConfig(null));
});

test('the port that Kubernetes invents for a Service named latchkey is explained', () => {
  const reading = port.fromText('tcp://10.0.0.7:8080');
  assert.match('fault' in reading ? reading.fault : '', /enableServiceLinks/);
});

test('a duration is seconds, or text with a unit', () => {
  const kind = duration(30, 86_400);
  accepts(kind.fromText('90'), 90);
  accepts(kind.fromText('15m'), 900);
  accepts(kind.fromConfig('12h'), 43_200);
  accepts(kind.fromConfig(45), 45);
  refuses(
    kind.fromText('5s'),
    kind.fromText('2d'),
    kind.fromText('1.5h'),
    kind.fromText('m'),
    kind.fromConfig(-1),
  );
  refuses(kind.fromConfig(Number.NaN), kind.fromConfig('9999999999d'));
});

test('a duration is written the shortest way', () => {
  assert.deepEqual([30, 300, 3600, 1_209_600, 90].map(durationText), ['30s', '5m', '1h', '14d', '90s']);
});

test('an address is an origin: no path, no query, no password', () => {
  accepts(url.fromText('https://id.example.com'), 'https://id.example.com');
  accepts(url.fromText('http://localhost:8080/'), 'http://localhost:8080');
  refuses(
    url.fromText('id.example.com'),
    url.fromText('https://id.example.com/auth'),
    url.fromText('ftp://id.example.com'),
  );
  refuses(url.fromText('https://a:b@id.example.com'), url.fromText('https://id.example.com?x'));
});

test('the other kinds take their own type and nothing else', () => {
  accepts(flag.fromText('true'), true);
  accepts(flag.fromText('0'), false);
  refuses(flag.fromText('yes'), flag.fromConfig('true'), flag.fromText('toString'));
  accepts(list.fromText('10.0.0.0/8, ::1'), ['10.0.0.0/8', '::1']);
  refuses(list.fromConfig('10.0.0.0/8'), list.fromConfig([1]));
  accepts(oneOf('a', 'b').fromText('b'), 'b');
  refuses(oneOf('a', 'b').fromText('c'), text.fromConfig(''), text.fromConfig(5), whole(1, 3).fromText('4'));
});
