import type { AdminToken } from './auth/admin-token.js';
import { listensOnLoopback, type Settings } from './settings.js';

/** What a person wants to know when the server has started. */
export function banner({ url, grpcAddress }: { url: string; grpcAddress: string }, settings: Settings, token: AdminToken): string {
  const open = listensOnLoopback(settings.HOST) && (settings.AUTH_ANONYMOUS_ROLE === '' || settings.AUTH_ANONYMOUS_ROLE === 'operator');
  const header = open ? '' : ` \\\n    -H "authorization: Bearer $(cat ${token.file ?? 'TOKEN_FILE'})"`;
  return `
  ARKITECT Orchestrator is ready.

  REST and Socket.IO   ${url}
  gRPC                 ${grpcAddress}
  API docs             ${url}/docs
  Admin token          ${tokenHint(token)}
  Without a token      ${open ? 'callers on this machine may create and watch tasks' : 'nobody gets in'}

  Try it:

  curl -s '${url}/tasks?wait=5'${header} \\
    -H 'content-type: application/json' \\
    -d '{"name": "hello", "type": "echo", "parameters": {"hello": "world"}, "start": "auto"}'

`;
}

function tokenHint(token: AdminToken): string {
  if (!token.file) return 'the one in ADMIN_TOKEN';
  return `cat ${token.file}${token.generated ? '   (just generated)' : ''}`;
}
