import { Global, Module } from '@nestjs/common';
import { SETTINGS } from '../settings.js';
import { ADMIN_TOKEN, resolveAdminToken } from './admin-token.js';
import { Authenticator } from './authenticator.js';

/** Global, because the guard and every door ask it. Needs `SETTINGS` from a global module. */
@Global()
@Module({
  providers: [{ provide: ADMIN_TOKEN, useFactory: resolveAdminToken, inject: [SETTINGS] }, Authenticator],
  exports: [ADMIN_TOKEN, Authenticator],
})
export class AuthModule {}
