/** SQLSTATEs that pass by themselves: lost or refused connections, resources, restarts, timeouts, fail-over, deadlocks. */
const transient = /^(08...|53...|57014|57P..|58...|25006|25P0[34]|40001|40P01|55P03)$/;

const socketErrors = /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/** Errors that the driver reports by message alone. */
const driverMessages = new RegExp(
  '^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Cannot use a pool after calling end|' +
    'Client has encountered a connection error|Client was closed and is not queryable)',
);

/** Whether the database, or the way to it, failed in a way that passes: the same call may work in a moment. */
export function isTransient(error: object): boolean {
  const { code, message, syscall } = error as { code?: unknown; message?: unknown; syscall?: unknown };
  return (
    transient.test(sqlState(error)) ||
    (typeof code === 'string' && (socketErrors.test(code) || (code === 'ENOENT' && syscall === 'connect'))) ||
    (typeof message === 'string' && driverMessages.test(message))
  );
}

/** Whether the values themselves were refused (SQLSTATE classes 22 and 23), so that sending them again is no use. */
export function isDataError(error: object): boolean {
  return /^2[23]/.test(sqlState(error));
}

/** Whether a text was refused: bad representation, untranslatable or malformed characters, NUL. */
export function isTextError(error: object): boolean {
  return /^(22P02|22P05|22021)$/.test(sqlState(error));
}

/** Errors of the server carry a severity; others may have a `code` of another meaning. */
function sqlState(error: object): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && 'severity' in error ? code : '';
}
