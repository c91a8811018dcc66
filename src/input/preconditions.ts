import { invalid } from '../errors/coded-error.js';

/** The version that an If-Match header asks for; undefined when any will do. */
export function versionFrom(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const version = /^(?:(?:W\/)?"(?<quoted>\d{1,15})"|(?<bare>\d{1,15}))$/.exec(ifMatch.trim())?.groups;
  if (version === undefined) throw invalid([{ field: 'If-Match', message: 'must be the ETag of an earlier answer, such as "3", or *' }]);
  return Number(version.quoted ?? version.bare);
}

/** Where an event stream goes on: the header that EventSource sends when it reconnects. */
export function seqFrom(lastEventId: string | undefined): number | undefined {
  if (lastEventId === undefined || lastEventId === '') return undefined;
  if (!/^\d{1,15}$/.test(lastEventId)) throw invalid([{ field: 'Last-Event-ID', message: 'must be the id of an event, a whole number' }]);
  return Number(lastEventId);
}
