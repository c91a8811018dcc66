import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { buildConnector } from 'undici';
import type { AddressGuard } from './address-guard.js';

/** Resolves a host name to all of its addresses; rejects as `dns.lookup` does. */
export type Lookup = (hostname: string) => Promise<LookupAddress[]>;

const lookupAll = promisify(systemLookup);
export const dnsLookup: Lookup = (hostname) => lookupAll(hostname, { all: true });

/**
 * An undici connector that reaches accepted addresses only. Names are resolved here and the connection goes to the very
 * answers that were checked, so a second DNS answer cannot slip in between; the peer of the open socket is checked too,
 * which covers IP literals (for them no lookup happens) and whatever the lookup path might miss.
 */
export function guardedConnect(guard: AddressGuard, lookup: Lookup, signal: AbortSignal): buildConnector.connector {
  return (options, callback) => {
    const host = options.hostname;
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    const connect = buildConnector({
      allowH2: false,
      maxCachedSessions: 0,
      timeout: 0,
      lookup: checkedLookup(guard, lookup, port),
    }) as (...args: Parameters<buildConnector.connector>) => Socket;

    const socket = connect(options, (...[error, connected]) => {
      signal.removeEventListener('abort', abort);
      if (error) return callback(error, null);
      const refusal = peerError(guard, host, port, connected);
      if (!refusal) return callback(null, connected);
      connected.on('error', () => {}).destroy();
      callback(refusal, null);
    });
    // undici drops an aborted request but leaves its socket connecting until the system gives up.
    const abort = () => socket.destroy(new Error('aborted'));
    signal.addEventListener('abort', abort, { once: true });
  };
}

function peerError(guard: AddressGuard, host: string, port: number, { remoteAddress }: Socket): Error | undefined {
  // A peer that has hung up already has no address any more.
  if (remoteAddress === undefined) return Object.assign(new Error('closed by the peer'), { code: 'ECONNRESET' });
  try {
    guard.check(host, port, remoteAddress);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function checkedLookup(guard: AddressGuard, lookup: Lookup, port: number): LookupFunction {
  return (hostname, options, callback) => {
    void resolveChecked(guard, lookup, hostname, port).then(
      (addresses) => {
        const [first] = addresses;
        if (options.all) callback(null, addresses);
        else callback(null, first!.address, first!.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

/** Refuses a URL whose host is an address that may not be reached, before anything is opened. Throws `AddressRefused`. */
export function checkLiteral(guard: AddressGuard, url: URL): void {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host)) guard.check(host, Number(url.port) || (url.protocol === 'https:' ? 443 : 80), host);
}

/** All addresses of a name, each of them checked. Throws `AddressRefused`, and as `lookup` does. */
export async function resolveChecked(guard: AddressGuard, lookup: Lookup, hostname: string, port: number): Promise<LookupAddress[]> {
  const addresses = await lookup(hostname);
  if (!addresses.length) throw Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' });
  // One private answer among public ones refuses the name: which one a connection takes is a matter of chance.
  for (const { address } of addresses) guard.check(hostname, port, address);
  return addresses.map(({ address }) => ({ address, family: isIP(address) }));
}
