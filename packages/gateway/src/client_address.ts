// Who is the client? Its TCP address, unless that is a trusted proxy: then X-Forwarded-For is read from the right, one
// entry for each trusted hop, and never further. What stands left of the first untrusted address was written by the
// client and is worth nothing (threat G09).
//
// Addresses are compared in one canonical form; the key for limits is the IPv4 address or the IPv6 /64, because a /64 is
// what one customer gets.
import { BlockList, isIP } from 'node:net';

export interface ClientAddress {
  /** Canonical: IPv4 dotted (also when mapped into IPv6), IPv6 compressed lower case. */
  readonly address: string;
  /** What limits are counted by. */
  readonly key: string;
  /** True when the connection comes from a trusted proxy, whose X-Forwarded-* and X-Request-Id then count. */
  readonly proxied: boolean;
}

export interface Block {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** `10.0.0.0/8`, `::1`, `fd00::/8`; undefined for anything else. */
export function parseBlock(text: unknown): Block | undefined {
  if (typeof text !== 'string') return undefined;
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const version = isIP(address);
  if (version === 0 || address.includes('%')) return undefined;
  const most = version === 4 ? 32 : 128;
  const bits =
    slash < 0 ? most : /^[0-9]{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : -1;
  if (bits < 0 || bits > most) return undefined;
  return { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** One spelling for an address, or undefined when it is none. A zone (`%eth0`) and a port are not part of an address. */
export function canonicalAddress(text: string): string | undefined {
  const version = isIP(text);
  if (version === 4) return text;
  if (version !== 6) return undefined;
  const zone = text.indexOf('%');
  const groups = groupsOf(zone < 0 ? text : text.slice(0, zone));
  if (groups === undefined) return undefined;
  const [, , , , , mark = 0, high = 0, low = 0] = groups;
  if (mark === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  return URL.parse(`http://[${groups.map((group) => group.toString(16)).join(':')}]`)?.hostname.slice(1, -1);
}

/** The IPv4 address itself, or the first four groups of an IPv6 address. Takes the canonical form. */
export function limitKey(address: string): string {
  if (isIP(address) !== 6) return address;
  return `${(groupsOf(address) ?? [])
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

function groupsOf(address: string): number[] | undefined {
  // A dotted tail (::ffff:192.0.2.1) stands for the last two groups.
  const dotted = /^(.*:)([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/.exec(address);
  const text =
    dotted === null
      ? address
      : `${dotted[1]}${(Number(dotted[2]) * 256 + Number(dotted[3])).toString(16)}:${(Number(dotted[4]) * 256 + Number(dotted[5])).toString(16)}`;
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  if (gap < 0) return undefined;
  const groups = [...left, ...Array<string>(gap).fill('0'), ...right].map((group) =>
    Number.parseInt(group, 16),
  );
  return groups.length === 8 ? groups : undefined;
}

export type AddressReader = (
  remoteAddress: string | undefined,
  forwardedFor: () => string | undefined,
) => ClientAddress;

/** `forwardedFor` gives all X-Forwarded-For fields joined with commas; it is not called where no proxy is trusted. */
export function createAddressReader(trustedProxies: readonly string[]): AddressReader {
  const trusted = new BlockList();
  for (const block of trustedProxies) {
    const parsed = parseBlock(block);
    if (parsed === undefined) throw new TypeError('a trusted proxy is not an address or a CIDR block');
    trusted.addSubnet(parsed.address, parsed.bits, parsed.family);
  }
  const isTrusted = (address: string) => trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

  return (remoteAddress, forwardedFor) => {
    const peer = canonicalAddress(remoteAddress ?? '') ?? 'unknown';
    if (trustedProxies.length === 0 || peer === 'unknown' || !isTrusted(peer))
      return { address: peer, key: limitKey(peer), proxied: false };
    let address = peer;
    const entries = forwardedFor()?.split(',') ?? [];
    for (let index = entries.length - 1; index >= 0 && isTrusted(address); index -= 1) {
      const next = canonicalAddress(entries[index]?.trim() ?? '');
      // An entry that is no address was not written by a proxy of ours: what is left of it does not count either.
      if (next === undefined) break;
      address = next;
    }
    return { address, key: limitKey(address), proxied: true };
  };
}
