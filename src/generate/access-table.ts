import { allows, isAudited, isPublic, type Operation } from '../auth/policy.js';
import { roles } from '../auth/principal.js';
import type { AccessRow } from './access-rows.js';

const doors = { rest: 'REST', 'socket.io': 'Socket.IO', grpc: 'gRPC' } as const;

/** `docs/access.md`: every way in, what it needs, and who has that. */
export function accessTable(rows: AccessRow[]): string {
  const sections = Object.entries(doors).map(([door, title]) => {
    const lines = rows.filter((row) => row.door === door).map(({ name, operation }) => `| \`${name}\` | ${permission(operation)} |`);
    return `## ${title}\n\n| ${door === 'rest' ? 'Route' : door === 'grpc' ? 'Call' : 'Message'} | Operation | Roles | Audited |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n`;
  });
  return `# Access

What each route, message and call needs. The guard of all doors looks an operation up in one table (\`src/auth/policy.ts\`); what names no operation is
closed to everybody. *everybody* needs no token. Whoever has no token is the role \`AUTH_ANONYMOUS_ROLE\` ([settings.md](settings.md)): by default
\`operator\` while the server listens on loopback alone, and else nobody. Audited operations are kept in the [audit log](audit.md).

<!-- Generated from the metadata of the running server by \`npm run generate\`. -->

${sections.join('\n')}`;
}

function permission(operation: Operation | undefined): string {
  if (operation === undefined) return '(none) | nobody | ';
  const allowed = isPublic(operation) ? ['everybody'] : roles.filter((role) => allows({ tenant_id: '', name: '', role }, operation));
  return `\`${operation}\` | ${allowed.join(', ')} | ${isAudited(operation) ? 'yes' : ''}`;
}
