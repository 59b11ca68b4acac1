// The gateway's log: one JSON object a line on standard output, in pino's form, so that everything here is read by the
// same tools. Our own twenty lines keep the edge free of dependencies.

export interface JsonLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const levels: Readonly<Record<string, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: 70,
};

export function createJsonLog(
  least: string,
  write: (line: string) => void = (line) => process.stdout.write(line),
): JsonLog {
  const from = levels[least] ?? 30;
  const at = (level: number) => (fields: object, msg: string) => {
    if (level < from) return;
    write(`${JSON.stringify({ level, time: Date.now(), ...plain(fields), msg })}\n`);
  };
  return { info: at(30), warn: at(40), error: at(50) };
}

/** Errors have no enumerable fields: their message is what a log wants. */
function plain(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? { message: value.message } : value,
    ]),
  );
}
