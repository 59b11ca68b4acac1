// What commands write. Colours only where a terminal shows them (NO_COLOR is respected); tables and JSON so that a
// person and a script both get what they can read.
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Text in a colour or weight, when standard output is a terminal. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined));
}

/** A line for the person beside the output: progress, warnings. Goes to standard error, so pipes stay clean. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Columns as wide as their longest cell, two spaces between; the header is dimmed. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, index) =>
    Math.max(name.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [styled('dim', line(header)), ...rows.map(line)].join('\n');
}

/** `2026-03-01 12:30` in local time, the way a person reads it. */
export function when(time: string | number | Date): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return String(time);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Control characters made visible, so that nothing printed can move the cursor or recolour the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|[\u200b-\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
  });
}
