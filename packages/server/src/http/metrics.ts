// Counters and gauges in Prometheus' text format. Labels come from closed sets only (route patterns, methods, status
// classes), so the number of series is bounded whatever is sent to us.
import { AuthError } from '../errors.ts';

export interface Metrics {
  count(name: MetricName, labels?: Readonly<Record<string, string>>): void;
  /** A value that is read when the metrics are. */
  gauge(name: string, help: string, read: () => number): void;
  text(): string;
}

const counters = {
  latchkey_http_requests_total: 'Requests answered.',
  latchkey_sign_ins_total: 'Sign-ins by outcome.',
  latchkey_refreshes_total: 'Refreshes by outcome.',
  latchkey_refresh_races_total: 'Refreshes that raced for one token and were given the same successor.',
} as const;

export type MetricName = keyof typeof counters;

/** Series of one counter: beyond this, new label sets are counted as `other`. */
const maxSeries = 500;

export function createMetrics(): Metrics {
  const series = new Map<MetricName, Map<string, number>>();
  const gauges: { name: string; help: string; read: () => number }[] = [];
  return {
    count(name, labels = {}) {
      const values = series.get(name) ?? new Map<string, number>();
      series.set(name, values);
      const wanted = Object.entries(labels)
        .map(([label, value]) => `${label}="${value}"`)
        .join(',');
      const key = values.has(wanted) || values.size < maxSeries ? wanted : 'other="true"';
      values.set(key, (values.get(key) ?? 0) + 1);
    },
    gauge(name, help, read) {
      gauges.push({ name, help, read });
    },
    text() {
      const lines: string[] = [];
      for (const [name, help] of Object.entries(counters)) {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
        for (const [labels, value] of series.get(name as MetricName) ?? [])
          lines.push(labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`);
      }
      for (const { name, help, read } of gauges)
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${read()}`);
      return `${lines.join('\n')}\n`;
    },
  };
}

const outcomeOf = (error: unknown): string =>
  error instanceof AuthError ? (error.reason ?? error.code) : 'fault';

/** A check in front of a counted work: what it refuses is counted as the work's. */
export function countFailures(metrics: Metrics, name: MetricName, check: () => void): () => void {
  return () => {
    try {
      check();
    } catch (error) {
      metrics.count(name, { outcome: outcomeOf(error) });
      throw error;
    }
  };
}

/**
 * The same function, counted by outcome: `success`, or the code of its AuthError with its reason, both from closed sets;
 * anything else that is thrown is `fault`.
 */
export function countOutcomes<A extends readonly unknown[], T>(
  metrics: Metrics,
  name: MetricName,
  work: (...input: A) => Promise<T>,
): (...input: A) => Promise<T> {
  return async (...input) => {
    try {
      const result = await work(...input);
      metrics.count(name, { outcome: 'success' });
      return result;
    } catch (error) {
      metrics.count(name, { outcome: outcomeOf(error) });
      throw error;
    }
  };
}
