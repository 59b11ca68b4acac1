// Counters in the Prometheus text format. Labels come from closed lists only: route ids of the configuration, five status
// classes, the refusal reasons, upstream origins. Nothing a client sends becomes a label, so a client cannot make this grow.

/** Upper bounds of the duration histogram, seconds. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

interface RouteFigures {
  readonly classes: number[];
  /** How many took at most this long, not cumulative; the last one is for what took longer than any bound. */
  readonly buckets: number[];
  seconds: number;
}

export interface Gauge {
  readonly name: string;
  readonly help: string;
  /** `counter`: one that only grows, kept by whoever is asked. @default 'gauge' */
  readonly type?: 'gauge' | 'counter';
  readonly read: () => number | readonly (readonly [labels: string, value: number])[];
}

export interface Metrics {
  /** One answered request. `route` is a route id, or 'none'. */
  answered(route: string, status: number, milliseconds: number): void;
  refused(reason: string): void;
  text(): string;
}

export function createMetrics(gauges: readonly Gauge[]): Metrics {
  const routes = new Map<string, RouteFigures>();
  const reasons = new Map<string, number>();
  return {
    answered(route, status, milliseconds) {
      let figures = routes.get(route);
      if (figures === undefined) {
        figures = { classes: [0, 0, 0, 0, 0], buckets: Array<number>(bounds.length + 1).fill(0), seconds: 0 };
        routes.set(route, figures);
      }
      const statusClass = Math.min(5, Math.max(1, Math.floor(status / 100))) - 1;
      figures.classes[statusClass] = (figures.classes[statusClass] ?? 0) + 1;
      const seconds = milliseconds / 1000;
      const found = bounds.findIndex((bound) => seconds <= bound);
      const bucket = found < 0 ? bounds.length : found;
      figures.buckets[bucket] = (figures.buckets[bucket] ?? 0) + 1;
      figures.seconds += seconds;
    },
    refused(reason) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    },
    text() {
      return [...requestLines(routes), ...refusalLines(reasons), ...gauges.flatMap(gaugeLines), ''].join(
        '\n',
      );
    },
  };
}

function requestLines(routes: ReadonlyMap<string, RouteFigures>): string[] {
  const lines = heading(
    'latchkey_gateway_requests_total',
    'counter',
    'Requests answered, by route and class of status.',
  );
  for (const [route, { classes }] of routes) {
    classes.forEach((count, index) => {
      if (count > 0)
        lines.push(`latchkey_gateway_requests_total{route=${label(route)},status="${index + 1}xx"} ${count}`);
    });
  }
  const name = 'latchkey_gateway_request_seconds';
  lines.push(
    ...heading(name, 'histogram', 'From the header section of the request to the end of the answer.'),
  );
  for (const [route, { buckets, seconds }] of routes) {
    let total = 0;
    buckets.forEach((count, index) => {
      total += count;
      lines.push(`${name}_bucket{route=${label(route)},le="${bounds[index] ?? '+Inf'}"} ${total}`);
    });
    lines.push(
      `${name}_sum{route=${label(route)}} ${seconds}`,
      `${name}_count{route=${label(route)}} ${total}`,
    );
  }
  return lines;
}

function refusalLines(reasons: ReadonlyMap<string, number>): string[] {
  const name = 'latchkey_gateway_refusals_total';
  const lines = heading(name, 'counter', 'Requests that the gateway answered itself, by reason.');
  for (const [reason, count] of reasons) lines.push(`${name}{reason=${label(reason)}} ${count}`);
  return lines;
}

function gaugeLines({ name, help, type = 'gauge', read }: Gauge): string[] {
  const value = read();
  const lines = heading(name, type, help);
  if (typeof value === 'number') lines.push(`${name} ${figure(value)}`);
  else for (const [labels, each] of value) lines.push(`${name}{${labels}} ${figure(each)}`);
  return lines;
}

function figure(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '+Inf' : String(value);
}

function heading(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

/** A label's value, quoted as the text format wants it. */
export function label(value: string): string {
  return `"${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
}
