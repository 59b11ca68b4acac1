// Draws docs/images/signals.svg from what a run measured, with nothing but text: three panels, readable on light and dark pages. Colours
// never stand alone: every bar and strip says in words what it is.
import type { Strip } from './outages.ts';

export interface PlotData {
  readonly propagation: readonly {
    readonly verifiers: number;
    readonly p50: number;
    readonly p99: number;
    readonly worst: number;
  }[];
  readonly sideBySide: readonly { readonly name: string; readonly rate: number }[];
  readonly killed: readonly Strip[];
}

const width = 960;
const style = `<style>
  svg { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; }
  text { fill: #1f2328; } .dim { fill: #59636e; } .head { font-weight: 600; font-size: 14px; } .on { fill: #ffffff; }
  .axis { stroke: #d1d9e0; } .line { fill: none; stroke-width: 2; }
  .a { stroke: #0969da; fill: #0969da; } .b { stroke: #8250df; fill: #8250df; } .c { stroke: #bc4c00; fill: #bc4c00; }
  .line.a, .line.b, .line.c { fill: none; }
  .ours { fill: #0969da; } .other { fill: #8c959f; }
  .accepted { fill: #0969da; } .refused { fill: #59636e; } .error { fill: #bc4c00; } .wrong { fill: #cf222e; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; } .dim { fill: #9198a1; } .axis { stroke: #3d444d; } .on { fill: #0d1117; }
    .a { stroke: #58a6ff; fill: #58a6ff; } .b { stroke: #bc8cff; fill: #bc8cff; } .c { stroke: #f0883e; fill: #f0883e; }
    .ours, .accepted { fill: #58a6ff; } .other { fill: #6e7681; } .refused { fill: #9198a1; } .error { fill: #f0883e; } .wrong { fill: #ff7b72; }
  }
</style>`;

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function text(x: number, y: number, words: string, kind = '', anchor = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${kind}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

function rect(x: number, y: number, w: number, h: number, kind: string): string {
  return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(1, w).toFixed(1)}" height="${h}" rx="2" class="${kind}"/>`;
}

/** The next 1, 2 or 5 with zeros. */
function roundUp(value: number): number {
  const ten = 10 ** Math.floor(Math.log10(value));
  return (([1, 2, 5, 10].find((step) => step * ten >= value) ?? 10) as number) * ten;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** 204 to enforced, against the number of verifiers: one place each, since they grow tenfold. */
function propagationPanel(points: PlotData['propagation']): string {
  const [left, top, w, h] = [60, 60, 360, 180];
  const most = roundUp(Math.max(...points.map(({ worst }) => worst)));
  const x = (i: number): number => left + (w * (i + 0.5)) / points.length;
  const y = (value: number): number => top + h - (h * value) / most;
  const parts = [text(left - 44, 30, 'From the answer to enforced at every verifier, ms', 'head')];
  for (const value of [0, most / 2, most]) {
    parts.push(`<line x1="${left}" x2="${left + w}" y1="${y(value)}" y2="${y(value)}" class="axis"/>`);
    parts.push(text(left - 8, y(value) + 4, thousands(value), 'dim', 'end'));
  }
  for (const [i, { verifiers }] of points.entries())
    parts.push(text(x(i), top + h + 20, thousands(verifiers), 'dim', 'middle'));
  parts.push(text(left + w / 2, top + h + 40, 'connected verifiers', 'dim', 'middle'));
  for (const [name, kind] of [
    ['worst', 'c'],
    ['p99', 'b'],
    ['p50', 'a'],
  ] as const) {
    const places = points.map((point, i) => [x(i), y(point[name])] as const);
    const line = places.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ');
    parts.push(`<polyline points="${line}" class="line ${kind}"/>`);
    for (const [px, py] of places)
      parts.push(`<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3.5" class="${kind}"/>`);
  }
  return parts.join('\n') + legend(left + 8, top - 10);
}

function legend(x: number, y: number): string {
  const names = [
    ['p50', 'a'],
    ['p99', 'b'],
    ['worst', 'c'],
  ] as const;
  return names
    .map(
      ([name, kind], i) =>
        `<circle cx="${x + i * 64}" cy="${y - 4}" r="4" class="${kind}"/>${text(x + i * 64 + 9, y, name, 'dim')}`,
    )
    .join('\n');
}

function sideBySidePanel(rows: PlotData['sideBySide']): string {
  const [left, top, w] = [510, 62, 430];
  const most = Math.max(...rows.map(({ rate }) => rate));
  const bars = rows.map(({ name, rate }, i) => {
    const y = top + i * 58;
    const length = (w - 70) * (rate / most);
    return [
      text(left, y, name),
      rect(left, y + 8, length, 22, i === 0 ? 'ours' : 'other'),
      text(left + length + 8, y + 24, thousands(rate), 'dim'),
    ].join('\n');
  });
  return [text(left, 30, 'Requests a second, service on one core', 'head'), ...bars].join('\n');
}

function kindOf(strip: Strip, outcome: string): string {
  if (outcome === '503' || outcome === 'no answer') return 'error';
  if (outcome === 'refused') return 'refused';
  return strip.token === 'good' ? 'accepted' : 'wrong';
}

function killedPanel(strips: readonly Strip[], top: number): string {
  const [left, w, row] = [300, 640, 24];
  const lasts = Math.max(...strips.flatMap(({ segments }) => segments.map(({ until }) => until)));
  const x = (seconds: number): number => left + (w * seconds) / lasts;
  const parts = [text(16, top, 'What is asked, or heard from, is killed at 0 s', 'head')];
  for (const [i, strip] of strips.entries()) {
    const y = top + 16 + i * row + Math.floor(i / 2) * 8;
    if (strip.token === 'good') parts.push(text(16, y + 15, strip.guard));
    parts.push(text(left - 10, y + 15, strip.token, 'dim', 'end'));
    for (const { outcome, from, until } of strip.segments) {
      const kind = kindOf(strip, outcome);
      const words = kind === 'wrong' ? `${outcome} all the same` : outcome;
      parts.push(rect(x(from), y, x(until) - x(from) - 1, row - 4, kind));
      if (x(until) - x(from) > 8 * words.length) parts.push(text(x(from) + 8, y + 15, words, 'on'));
    }
  }
  const foot = top + 16 + strips.length * row + Math.floor((strips.length - 1) / 2) * 8 + 16;
  for (let s = 0; s <= lasts; s += 2) parts.push(text(x(s), foot, `${s} s`, 'dim', 'middle'));
  return parts.join('\n');
}

/** The whole picture. */
export function drawSignals({ propagation, sideBySide, killed }: PlotData): string {
  const top = 330;
  const height = top + 16 + killed.length * 24 + Math.floor(killed.length / 2) * 8 + 24;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>Revocation: how long it takes to every verifier, what the check costs, and what happens without the auth server</title>',
    style,
    propagationPanel(propagation),
    sideBySidePanel(sideBySide),
    killedPanel(killed, top),
    '</svg>',
    '',
  ].join('\n');
}
