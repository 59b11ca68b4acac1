// Networks: which addresses belong to the public internet, to this machine, to one's own wires. Judged by number alone; nothing is
// resolved here.
import { BlockList, isIP, isIPv4 } from 'node:net';

/** Whether it holds an address. */
export type Networks = (address: string) => boolean;

/** `10.1.0.0/16`, `fd00::/8` or a single address; undefined when it is none. */
function parseNetwork(text: string): readonly [string, number] | undefined {
  const match = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text);
  const address = match?.[1] ?? '';
  if (isIP(address) === 0) return undefined;
  const longest = isIPv4(address) ? 32 : 128;
  const prefix = match?.[2] === undefined ? longest : Number(match[2]);
  return prefix <= longest ? [address, prefix] : undefined;
}

export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

const family = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6');

/** What is no network is left out. */
export function createNetworks(texts: readonly string[]): Networks {
  const list = new BlockList();
  for (const text of texts) {
    const [address, prefix] = parseNetwork(text) ?? [];
    if (address !== undefined && prefix !== undefined) list.addSubnet(address, prefix, family(address));
  }
  return (address) => list.check(address, family(address));
}

export const loopback = createNetworks(['127.0.0.0/8', '::1']);

/** Where clouds keep the credentials of a machine. */
export const linkLocal = createNetworks(['169.254.0.0/16', 'fe80::/10']);

/**
 * IANA's special-purpose registries: not globally reachable, or not one host. Of IPv6 what leads elsewhere (Teredo, 6to4) or nowhere
 * (documentation) within the one block that is given out. The last one is Azure's metadata service.
 */
const special = createNetworks([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '168.63.129.16',
]);

const givenOut = createNetworks(['0.0.0.0/0', '2000::/3']);

export const publicInternet: Networks = (address) => givenOut(address) && !special(address);
