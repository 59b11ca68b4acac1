// Settings, runtime and TLS: what can be said without the auth server.
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { authServerOptions } from '../settings/auth_options.ts';
import { readGatewayClient } from '../settings/gateway_client.ts';
import { gatewayOptions } from '../settings/gateway_options.ts';
import type { SettingsReport } from '../settings/settings.ts';
import { bad, type Finding, good, look } from './finding.ts';

const tested = [24, 26];

export function checkRuntime(): Finding {
  const { node } = process.versions;
  const major = Number(node.split('.')[0]);
  if (tested.includes(major)) return good('node', `${node} on ${process.platform} ${process.arch}`);
  return look(
    'node',
    `${node} is new enough, but latchkey is tested on ${tested.join(' and ')}`,
    'use one of those in production',
  );
}

/** The faults of the settings themselves, and what the server and the gateway say about them. */
export async function checkSettings({ settings, faults }: SettingsReport): Promise<Finding[]> {
  const all = new Set(faults);
  if (faults.length === 0) {
    const [{ checkAuthServerOptions }, { checkGatewayOptions }] = await Promise.all([
      import('@latchkey/server'),
      import('@latchkey/gateway'),
    ]);
    const auth = authServerOptions(settings, {
      listen: { host: settings.authHost, port: settings.authPort },
    });
    for (const fault of checkAuthServerOptions(auth)) all.add(fault);
    const authUrl = settings.given<string>('authUrl') ?? `http://127.0.0.1:${settings.authPort}`;
    const { client, faults: clientFaults } = readGatewayClient(settings);
    const gateway = gatewayOptions(settings, { port: settings.port, internalPort: 0, authUrl, client });
    for (const fault of [...clientFaults, ...checkGatewayOptions(gateway)]) all.add(fault);
  }
  const place = settings.configFile ?? 'the environment and the defaults';
  if (all.size === 0) return [good('settings', `nothing wrong with ${place}`)];
  return [...all].map((fault) =>
    bad('settings', fault, `change it in ${place}; docs/configuration.md explains every setting`),
  );
}

/** @param now milliseconds */
export function checkTls({ settings }: SettingsReport, now: number): Finding[] {
  const certFile = settings.given<string>('tls.cert');
  const keyFile = settings.given<string>('tls.key');
  if (certFile === undefined || keyFile === undefined) {
    const local = settings.publicUrl.startsWith('http://');
    return local
      ? []
      : [
          look(
            'tls',
            'the public address is https and the gateway has no certificate',
            'fine behind a proxy that ends TLS; else set tls.cert and tls.key',
          ),
        ];
  }
  try {
    const certificate = new X509Certificate(readFileSync(certFile));
    const days = Math.floor((Date.parse(certificate.validTo) - now) / 86_400_000);
    const loose = (statSync(keyFile).mode & 0o077) !== 0;
    return [
      days < 0
        ? bad(
            'tls',
            `the certificate expired ${-days} days ago`,
            'renew it; the gateway reads the new file by itself',
          )
        : days < 14
          ? look(
              'tls',
              `the certificate expires in ${days} days`,
              'renew it; the gateway reads the new file by itself',
            )
          : good('tls', `the certificate is valid for ${days} more days`),
      ...(loose
        ? [look('tls', 'others on this machine can read the private key', `chmod 600 ${keyFile}`)]
        : []),
    ];
  } catch (error) {
    return [
      bad(
        'tls',
        `the certificate or its key cannot be read (${(error as Error).message})`,
        'check tls.cert and tls.key',
      ),
    ];
  }
}
