// Where events may be pushed to (threat G12). An administrator names the address, so it must not become a way into the network that
// the server stands in: https only, and only to addresses of the public internet, looked at when the name has been resolved and
// in the very connection that is then made. Networks of one's own can be named in the settings; link-local ones, where clouds
// keep their credentials, never. Plain http goes to loopback alone.
import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isLoopback } from '../options.ts';
import { createNetworks, linkLocal, loopback, publicInternet } from '../rules/networks.ts';

export interface AddressPolicy {
  /** Throws AddressRefused for an address that is refused whatever its name resolves to. */
  check(endpoint: URL): void;
  /** Resolves a name for a connection to `endpoint`, and fails when one of its addresses is not allowed. */
  lookupFor(endpoint: URL): LookupFunction;
}

/** The message says which rule it breaks, never what a name resolved to. */
export class AddressRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AddressRefused';
  }
}

/**
 * `networks`: private ones that receivers may be in. Loopback is one of them where the issuer itself is on loopback: on a
 * developer's machine.
 */
export function createAddressPolicy(networks: readonly string[], issuer: string): AddressPolicy {
  const own = createNetworks(networks);
  const atHome = isLoopback(new URL(issuer).hostname);

  function mayConnect(address: string, plain: boolean): boolean {
    // An IPv4 address in IPv6 clothes is never what an honest name resolves to.
    if (isIP(address) === 0 || /^::ffff:/i.test(address) || linkLocal(address)) return false;
    if (plain && !loopback(address)) return false;
    return (loopback(address) && atHome) || publicInternet(address) || own(address);
  }

  return {
    check(endpoint) {
      const { hash, hostname, password, protocol, username } = endpoint;
      if (username !== '' || password !== '')
        throw new AddressRefused('The address must not contain credentials.');
      if (hash !== '') throw new AddressRefused('The address must not have a fragment.');
      const plain = protocol === 'http:';
      if (protocol !== 'https:' && !(plain && isLoopback(hostname)))
        throw new AddressRefused('The address must be https, or http on loopback.');
      if (plain && !['127.0.0.1', '::1'].some((address) => mayConnect(address, plain)))
        throw new AddressRefused('Receivers may not be on loopback here: see receiverNetworks.');
      const host = hostname.replace(/^\[|\]$/g, '');
      if (isIP(host) !== 0 && !mayConnect(host, plain))
        throw new AddressRefused('The address is in a network that receivers may not be in.');
    },
    lookupFor(endpoint) {
      const plain = endpoint.protocol === 'http:';
      return (hostname, options, callback) => {
        lookup(hostname, { ...options, all: true }, (error, found: readonly LookupAddress[] = []) => {
          if (error !== null) return callback(error, '');
          const [first] = found;
          // One bad address refuses the name: which of them is used next time is up to its owner.
          if (first === undefined || !found.every(({ address }) => mayConnect(address, plain)))
            return callback(new AddressRefused('The name leads to an address that is not allowed.'), '');
          if (options.all === true) callback(null, [...found]);
          else callback(null, first.address, first.family);
        });
      };
    },
  };
}
