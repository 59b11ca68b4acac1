// The file a child's output goes to. It is moved aside when it is large, so that a forgotten terminal does not fill a
// disk; one older file is kept. Mode 0600: addresses and user names are nobody else's business.
import { appendFile, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** 16 MiB. */
const largest = 16 * 1024 * 1024;

export interface LogFile {
  readonly file: string;
  write(text: string): void;
}

export function openLogFile(file: string): LogFile {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  let size = sizeOf(file);
  let waiting = '';
  let writing = false;

  const flush = () => {
    if (writing || waiting === '') return;
    const text = waiting;
    waiting = '';
    writing = true;
    if (size > largest) {
      moveAside(file);
      size = 0;
    }
    size += Buffer.byteLength(text);
    // A full disk loses log lines; it must not take the system down.
    appendFile(file, text, { mode: 0o600 }, () => {
      writing = false;
      flush();
    });
  };
  return {
    file,
    write(text) {
      waiting += text;
      flush();
    },
  };
}

/** Where that is not possible (somebody has moved or removed the file meanwhile), lines go on where they go. */
function moveAside(file: string): void {
  try {
    renameSync(file, `${file}.1`);
  } catch {
    // The next one is tried when as much has been written again.
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
