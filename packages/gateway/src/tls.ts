// The certificate and its key, read from PEM files and read again when they change, without a restart. Files are looked at
// by polling: certificate tools replace files and links in ways that file events miss.
//
// A pair that does not load or does not belong together is never taken: the old one stays, and the log says so.
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from './options.ts';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a server needs; throws when a file cannot be read or the two do not belong together. */
export function readCertificate({ certFile, keyFile }: CertificateFiles): SecureContextOptions {
  const options: SecureContextOptions = {
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    minVersion: 'TLSv1.2',
  };
  createSecureContext(options);
  return options;
}

/** Follows the files; new connections get the new certificate. The returned function ends it. */
export function followCertificate(
  server: Server,
  files: CertificateFiles,
  log: Logger | undefined,
  interval: number,
): () => void {
  const reload = () => {
    try {
      server.setSecureContext(readCertificate(files));
      log?.info({ certFile: files.certFile }, 'the TLS certificate was reloaded');
    } catch (error) {
      // The message of a PEM fault names no key material; the files' content is never shown.
      const code = error instanceof Error && 'code' in error ? error.code : 'unreadable';
      log?.warn(
        { certFile: files.certFile, code },
        'the new TLS certificate cannot be used; the old one stays',
      );
    }
  };
  const listener = (now: { mtimeMs: number; ino: number }, before: { mtimeMs: number; ino: number }) => {
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) reload();
  };
  const watched = [files.certFile, files.keyFile];
  for (const file of watched) watchFile(file, { interval, persistent: false }, listener);
  return () => {
    for (const file of watched) unwatchFile(file, listener);
  };
}
