import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Rule = (host: string, port: number, address: string) => boolean;

const hostName = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/** The address is neither public nor allowed; another try would be refused, too. */
export class AddressRefused extends Error {
  readonly code = 'ADDRESS_REFUSED';
}

/**
 * Decides which addresses the server may reach for its users (tasks, alert channels): those of the public internet, and what HTTP_ALLOW_HOSTS names.
 * An entry is a host name, `*.suffix` (any name below it), an IP address or a CIDR range; `:port` narrows it to one port.
 */
export class AddressGuard {
  readonly #allowHosts: () => readonly string[];
  #parsed: readonly string[] = [];
  #rules: Rule[] = [];

  /** A function is asked at each check: the list may be changed while the server runs. Throws for an ill-formed entry. */
  constructor(allowHosts: readonly string[] | (() => readonly string[])) {
    this.#allowHosts = typeof allowHosts === 'function' ? allowHosts : () => allowHosts;
    this.#current();
  }

  /** Refuses unless `address`, to which `host` resolved (or which it is), may be reached. Throws `AddressRefused`. */
  check(host: string, port: number, address: string): void {
    if (isPublic(address) || this.#current().some((allows) => allows(host, port, address))) return;
    const what = isIP(host) ? 'is not a public address' : 'does not resolve to public addresses only';
    // The address itself stays unsaid: a caller must not be able to map the inner network by asking.
    throw new AddressRefused(
      `The request was not sent: ${host} ${what}. If it may be reached, add it to the setting HTTP_ALLOW_HOSTS of the server.`,
    );
  }

  /** A list never changes; a changed setting is another one. */
  #current(): Rule[] {
    const allowHosts = this.#allowHosts();
    if (allowHosts !== this.#parsed) {
      this.#rules = allowHosts.map(parseRule);
      this.#parsed = allowHosts;
    }
    return this.#rules;
  }
}

/** Whether the address is one host of the public internet. Addresses that embed another one (mapped aside) are not. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  // Of IPv6 only 2000::/3 is given out; the rest, such as ::127.0.0.1, has old meanings that systems may still honour.
  return parsed.kind() === 'ipv4' || parsed.match(ipaddr.parseCIDR('2000::/3'));
}

/** What an entry may be. */
export const allowedEntries =
  'a host name, *.suffix, IP address or CIDR range, with or without :port (IPv6 with a port in brackets: [::1]:8080)';

/** Whether it is an entry of HTTP_ALLOW_HOSTS. */
export function isAllowEntry(entry: string): boolean {
  return ruleOf(entry) !== undefined;
}

function parseRule(entry: string): Rule {
  const rule = ruleOf(entry);
  if (!rule) throw new Error(`HTTP_ALLOW_HOSTS holds ${JSON.stringify(entry)}, which is not ${allowedEntries}.`);
  return rule;
}

function ruleOf(entry: string): Rule | undefined {
  const { host, port } = splitPort(entry.toLowerCase());
  const rule = addressRule(host) ?? nameRule(host);
  if (!rule || Number.isNaN(port)) return undefined;
  return (name, actualPort, address) => (port === undefined || port === actualPort) && rule(name, actualPort, address);
}

function addressRule(host: string): Rule | undefined {
  if (isIP(host)) {
    const only = ipaddr.process(host).toNormalizedString();
    return (_host, _port, address) => ipaddr.isValid(address) && ipaddr.process(address).toNormalizedString() === only;
  }
  if (!isIP(host.split('/')[0] ?? '') || !ipaddr.isValidCIDR(host)) return undefined;
  const [network, bits] = ipaddr.parseCIDR(host);
  return (_host, _port, address) => {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return parsed.kind() === network.kind() && parsed.match(network, bits);
  };
}

function nameRule(host: string): Rule | undefined {
  // A last label of digits makes URL parsers read the name as an IPv4 address, so the entry could never match.
  if (!hostName.test(host) || /(^|\.)\d+$/.test(host)) return undefined;
  if (host.startsWith('*.')) return (name) => !isIP(name) && withoutRootDot(name).endsWith(host.slice(1));
  return (name) => withoutRootDot(name) === host;
}

function withoutRootDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function splitPort(entry: string): { host: string; port: number | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(entry);
  const plain = /^([^:]*):(\d{1,5})$/.exec(entry);
  const [, host, port] = bracketed ?? plain ?? [];
  if (host === undefined) return { host: entry, port: undefined };
  if (port === undefined) return { host, port: undefined };
  return { host, port: +port >= 1 && +port <= 65535 ? +port : NaN };
}
