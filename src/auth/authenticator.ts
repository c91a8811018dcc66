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

/** Tells who is calling, the same way for every door. */
@Injectable()
export class Authenticator {
  private readonly adminDigest: Buffer;

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(ADMIN_TOKEN) admin: Pick<AdminToken, 'token'>,
  ) {
    this.adminDigest = digest(admin.token);
  }

  /**
   * The principal of a request, or `undefined` for nobody. `token` is the one of a Socket.IO handshake and goes before
   * the Authorization header. Throws `UNAUTHENTICATED` for a wrong token, also where no token would have been enough.
   */
  authenticate(headers: IncomingHttpHeaders, token?: unknown): Principal | undefined {
    const given = token === undefined || token === null || token === '' ? bearerToken(headers.authorization) : token;
    if (given === undefined) return this.anonymous(headers);
    if (typeof given === 'string' && timingSafeEqual(digest(given), this.adminDigest)) {
      return { tenant_id: 'default', role: 'root', name: 'root' };
    }
    throw new CodedError('UNAUTHENTICATED', 'This token is not known here. Check that it was copied whole and belongs to this server.');
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
function digest(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
