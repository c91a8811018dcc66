import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { credentials, Metadata, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';

/** Certificates in PEM, as text or bytes. */
export interface TlsOptions {
  /** Who may have signed the server's certificate (the authorities that Node trusts). */
  ca?: string | Uint8Array;
  /** The client's certificate chain, for servers that ask for one (none). Needs `key`. */
  cert?: string | Uint8Array;
  /** The private key of `cert` (none). */
  key?: string | Uint8Array;
  /** The name that the server's certificate must have (the host of the address). */
  serverName?: string;
}

/** Where the server is, and who is calling. */
export interface ConnectionOptions {
  /**
   * The gRPC address: `host:port`, `http://host:port`, or `https://host:port` for TLS; without a port, 50051
   * (the environment's ARKITECT_GRPC_URL, else 127.0.0.1:50051).
   */
  address?: string;
  /** The token to send; callers on the server's own machine may need none (the environment's ARKITECT_TOKEN, else none). */
  token?: string;
  /** TLS with these certificates, or `true` for TLS with Node's own authorities (false, unless the address says https). */
  tls?: TlsOptions | boolean;
}

/** What grpc-js needs to know of a server. */
export interface Connection {
  target: string;
  credentials: ChannelCredentials;
  channelOptions: ChannelOptions;
  /** Of a call; a new one each time, as grpc-js writes into it. */
  metadata(): Metadata;
}

const defaultPort = 50051;

export function connectionOf(options: ConnectionOptions): Connection {
  const { secure, target } = parseAddress(options.address ?? (process.env.ARKITECT_GRPC_URL || `127.0.0.1:${defaultPort}`));
  const token = options.token ?? process.env.ARKITECT_TOKEN;
  const tls = options.tls ?? secure;
  const { serverName, ...certificates } = typeof tls === 'object' ? tls : ({} as TlsOptions);
  const address = serverName === undefined ? addressIn(target) : undefined;
  return {
    target,
    credentials: tls === false ? credentials.createInsecure() : tlsCredentials(certificates, address),
    channelOptions: {
      // The server bounds what it sends, and a page of large tasks is larger than gRPC's usual 4 MiB.
      'grpc.max_receive_message_length': -1,
      // Finds out that the other side is gone without a word.
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      // Left alone, grpc-js would after a while try only every two minutes, and fail all calls in between.
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 1_000,
      ...(tls !== false && nameOptions(serverName, address)),
    },
    metadata() {
      const metadata = new Metadata();
      if (token) metadata.set('authorization', `Bearer ${token}`);
      return metadata;
    },
  };
}

/** Splits an address into whether it asks for TLS and what grpc-js dials. Throws a TypeError for other schemes. */
export function parseAddress(address: string): { secure: boolean; target: string } {
  const { scheme = 'http', rest = '' } = /^(?:(?<scheme>[a-z][a-z0-9+.-]*):\/\/)?(?<rest>.*?)\/?$/i.exec(address)?.groups ?? {};
  if (!/^https?$/i.test(scheme) || !/^(\[[^\]]+\]|[^:/\s]+)(:\d+)?$/.test(rest)) {
    throw new TypeError(`The address must be host:port, http://host:port or https://host:port, not ${JSON.stringify(address)}.`);
  }
  return { secure: scheme.toLowerCase() === 'https', target: /:\d+$/.test(rest) ? rest : `${rest}:${defaultPort}` };
}

/** The IP address in a target; undefined when it has a name. */
function addressIn(target: string): string | undefined {
  const host = target.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isIP(host) ? host : undefined;
}

/** Which name the server is asked for. grpc-js would ask for an address by its number, which newer versions of Node refuse to do. */
function nameOptions(serverName: string | undefined, address: string | undefined): ChannelOptions {
  if (serverName !== undefined) return { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName };
  return address === undefined ? {} : { 'grpc.ssl_target_name_override': 'address.invalid' };
}

/** `address`: the certificate must be for this address, whatever name was asked for. */
function tlsCredentials({ ca, cert, key }: TlsOptions, address: string | undefined): ChannelCredentials {
  if ((cert === undefined) !== (key === undefined))
    throw new TypeError('The TLS options cert and key belong together; give both, or neither.');
  const checkAddress =
    address === undefined ? {} : { checkServerIdentity: (_name: string, peer: PeerCertificate) => checkServerIdentity(address, peer) };
  return credentials.createSsl(bytes(ca), bytes(key), bytes(cert), checkAddress);
}

function bytes(pem: string | Uint8Array | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}
