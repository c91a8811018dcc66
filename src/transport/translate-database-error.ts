import { CodedError } from '../errors/coded-error.js';

/** SQLSTATEs that pass by themselves: lost or refused connections, resources, restarts, timeouts, fail-over, deadlocks. */
const transient = /^(08...|53...|57014|57P..|58...|25006|25P0[34]|40001|40P01|55P03)$/;

/** SQLSTATEs of text that PostgreSQL cannot store: bad representation, untranslatable or malformed characters, NUL. */
const badText = /^(22P02|22P05|22021)$/;

const socketErrors = /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/** Errors that the driver reports by message alone. */
const driverMessages = new RegExp(
  '^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Cannot use a pool after calling end|' +
    'Client has encountered a connection error|Client was closed and is not queryable)',
);

/** The coded error of a failure of the database or of the way to it, or `undefined` for any other error. */
export function translateDatabaseError(error: object): CodedError | undefined {
  const { code, message, syscall } = error as { code?: unknown; message?: unknown; syscall?: unknown };
  const sqlState = typeof code === 'string' && 'severity' in error ? code : '';
  if (badText.test(sqlState)) {
    return new CodedError('VALIDATION_FAILED', 'A value holds characters or a form that the database cannot store.', [], { cause: error });
  }
  const isTransient =
    transient.test(sqlState) ||
    (typeof code === 'string' && (socketErrors.test(code) || (code === 'ENOENT' && syscall === 'connect'))) ||
    (typeof message === 'string' && driverMessages.test(message));
  if (!isTransient) return undefined;
  return new CodedError('UNAVAILABLE', 'The database cannot answer right now. Try again in a moment.', [], { cause: error });
}
