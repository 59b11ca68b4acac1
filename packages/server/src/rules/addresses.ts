// The one spelling of a network address that limits count by: IPv4 as it is, IPv6 by its /64 network, since one customer
// is handed a whole /64 (threat G09).
import { isIPv4, isIPv6 } from 'node:net';

export function addressKey(address: string): string {
  const bare = address.replace(/^::ffff:/i, '').replace(/%.*$/, '');
  if (isIPv4(bare)) return bare;
  if (!isIPv6(bare)) return 'unknown';
  return `${expand(bare).slice(0, 4).join(':')}::/64`;
}

function expand(address: string): string[] {
  const [head = '', tail = ''] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const gap = address.includes('::') ? Array<string>(8 - left.length - right.length).fill('0') : [];
  return [...left, ...gap, ...right].map((group) => Number.parseInt(group, 16).toString(16));
}
