import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createMetrics, label } from './metrics.ts';

it('writes the text format', () => {
  const metrics = createMetrics([
    { name: 'g', help: 'One.', read: () => 3 },
    { name: 'h', help: 'Two.', read: () => [['x="1"', Number.POSITIVE_INFINITY]] },
  ]);
  metrics.answered('/api', 200, 3);
  metrics.answered('/api', 404, 60_000);
  metrics.refused('no_route');
  const lines = metrics.text().split('\n');
  for (const line of [
    'latchkey_gateway_requests_total{route="/api",status="2xx"} 1',
    'latchkey_gateway_requests_total{route="/api",status="4xx"} 1',
    'latchkey_gateway_request_seconds_bucket{route="/api",le="0.0025"} 0',
    'latchkey_gateway_request_seconds_bucket{route="/api",le="0.005"} 1',
    'latchkey_gateway_request_seconds_bucket{route="/api",le="30"} 1',
    'latchkey_gateway_request_seconds_bucket{route="/api",le="+Inf"} 2',
    'latchkey_gateway_request_seconds_count{route="/api"} 2',
    'latchkey_gateway_refusals_total{reason="no_route"} 1',
    '# TYPE g gauge',
    'g 3',
    'h{x="1"} +Inf',
  ]) {
    assert.ok(lines.includes(line), line);
  }
});

it('quotes a label', () => {
  assert.equal(label('a"b\\c\nd'), '"a\\"b\\\\c\\nd"');
});
