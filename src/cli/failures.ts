import type { FieldError } from '../errors/coded-error.js';

/** What the program ends with. */
export const exitCodes = { done: 0, refused: 1, usage: 2, unreachable: 3, notInTime: 4 } as const;

/** An answer of RFC 9457, as far as the command line shows it. */
export interface Problem {
  code: string;
  title: string;
  detail: string;
  errors?: FieldError[];
  request_id?: string;
}

/** Of ends that the server has no code for. */
const codes: Record<number, string> = {
  [exitCodes.usage]: 'USAGE',
  [exitCodes.unreachable]: 'UNREACHABLE',
  [exitCodes.notInTime]: 'NOT_IN_TIME',
};

/** An end of the program that is explained by its message alone. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }

  /** For `--output json`. */
  toJSON(): object {
    return { code: codes[this.exitCode], detail: this.message };
  }
}

/** The server said no. */
export class Refused extends Failure {
  constructor(readonly problem: Problem) {
    super(sentences(problem), exitCodes.refused);
  }

  override toJSON(): object {
    return this.problem;
  }
}

export class UsageError extends Failure {
  constructor(message: string) {
    super(message, exitCodes.usage);
  }
}

/** What was waited for has not come. */
export class NotInTime extends Failure {
  constructor(message: string) {
    super(message, exitCodes.notInTime);
  }
}

export class Unreachable extends Failure {
  constructor(url: string, cause: unknown) {
    super(
      `No answer from ${url}: ${reasonOf(cause)}. Start the server (npm start), or name another one by --url or ARKITECT_URL.`,
      exitCodes.unreachable,
    );
  }
}

/** The words of the API; bad fields one a line. */
function sentences({ code, title, detail, errors = [], request_id }: Problem): string {
  const said = errors.map(({ field, message }) => `${field}: ${message}`);
  // The detail of bad input is its fields in one line.
  const head = said.length && detail === said.join('; ') ? title : detail;
  const fields = said.map((line) => `\n  ${line}`).join('');
  return `${code}: ${head}${fields}${request_id ? `\n  request ${request_id}` : ''}`;
}

/** fetch hides what went wrong below a "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'it took too long';
  if (error instanceof AggregateError && error.errors.length) return reasonOf(error.errors[0]);
  return error.cause ? reasonOf(error.cause) : error.message || error.name;
}
