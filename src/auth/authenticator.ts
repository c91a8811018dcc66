import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { CodedError } from '../errors/coded-error.js';
import { listensOnLoopback, SETTINGS, type Settings } from '../settings.js';
import { isAllowedOrigin, isLoopbackHost } from '../transport/origin.js';
import { ADMIN_TOKEN, type AdminToken } from './admin-token.js';
import type { Principal, Role } from './principal.js';

/** Headers that a proxy adds: the caller behind it may be anywhere, although the connection comes from loopback. */
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/** A token that makes its bearer root. */
export interface RootToken {
  digest: Buffer;
  /** Monotonic, in milliseconds: no clock that somebody sets keeps it alive. */
  endsAt: number;
}

/** Tells who is calling, the same way for every door. */
@Injectable()
export class Authenticator {
  private tokens: readonly RootToken[];
  /** By which token somebody is root. */
  private readonly tokenOf = new WeakMap<Principal, RootToken>();
  /** Hear that tokens have ended: whom they let in may have to go. */
  readonly onEnded = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(ADMIN_TOKEN) admin: Pick<AdminToken, 'token'>,
  ) {
    this.tokens = [{ digest: digest(admin.token), endsAt: Infinity }];
  }

  /**
   * The principal of a request, or `undefined` for nobody. `token` is the one of a Socket.IO handshake and goes before
   * the Authorization header. Throws `UNAUTHENTICATED` for a wrong token, also where no token would have been enough.
   */
  authenticate(headers: IncomingHttpHeaders, token?: unknown): Principal | undefined {
    const given = token === undefined || token === null || token === '' ? bearerToken(headers.authorization) : token;
    if (given === undefined) return this.anonymous(headers);
    const held = typeof given === 'string' ? this.find(digest(given)) : undefined;
    if (held) {
      const root: Principal = { tenant_id: 'default', role: 'root', name: 'root' };
      this.tokenOf.set(root, held);
      return root;
    }
    throw new CodedError('UNAUTHENTICATED', 'This token is not known here. Check that it was copied whole and belongs to this server.');
  }

  /** The root tokens from now on. */
  use(tokens: readonly RootToken[]): void {
    this.tokens = tokens;
    this.tellOfEnd();
  }

  private tellOfEnd(): void {
    for (const listener of this.onEnded) listener();
    clearTimeout(this.timer);
    const now = performance.now();
    const next = Math.min(...this.tokens.map(({ endsAt }) => endsAt).filter((endsAt) => endsAt > now));
    // A little later, so that it has surely ended.
    if (Number.isFinite(next)) this.timer = setTimeout(() => this.tellOfEnd(), next - now + 10).unref();
  }

  /** Whether whom it has let in would be let in now: a token may have ended since. */
  isStillValid(principal: Principal): boolean {
    const token = this.tokenOf.get(principal);
    return token === undefined || this.find(token.digest) !== undefined;
  }

  /** Looks at all of them, so that the time it takes tells nothing. */
  private find(given: Buffer): RootToken | undefined {
    const now = performance.now();
    let found: RootToken | undefined;
    for (const token of this.tokens) if (timingSafeEqual(given, token.digest) && token.endsAt > now) found = token;
    return found;
  }

  private anonymous(headers: IncomingHttpHeaders): Principal | undefined {
    const role = this.anonymousRole(headers);
    return role && { tenant_id: 'default', role, name: 'anonymous' };
  }

  private anonymousRole(headers: IncomingHttpHeaders): Role | undefined {
    const chosen = this.settings.AUTH_ANONYMOUS_ROLE;
    if (chosen === 'none') return undefined;
    if (chosen !== '') return chosen;
    const local = listensOnLoopback(this.settings.HOST) && isLoopbackHost(headers.host) && !proxyHeaders.some((name) => name in headers);
    return local && isAllowedOrigin(headers, this.settings) ? 'operator' : undefined;
  }
}

function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const token = /^bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1];
  if (token === undefined) {
    throw new CodedError('UNAUTHENTICATED', 'The Authorization header must read "Bearer TOKEN"; other schemes are not accepted.');
  }
  return token;
}

/** Digests have one length, so comparing them says nothing about the length or the beginning of the token. */
export function digest(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
