import type { FieldError } from '../errors/coded-error.js';
import { plainJsonError, type PlainJsonLimits } from '../input/plain-json.js';
import { checkInput } from '../input/validate.js';
import type { Settings } from '../settings.js';
import { echo } from './echo.js';
import { FreeParameters } from './free-parameters.js';
import { TaskFailure, type Handler } from './handler.js';
import { httpRequest } from './http-request/http-request.js';
import { sleep } from './sleep.js';

/** The task types this server runs itself. Throws `SettingsError` for a setting a handler cannot use. */
export function builtInHandlers(settings: Settings): Handler[] {
  return [
    echo(),
    sleep(),
    httpRequest({ allowHosts: () => settings.HTTP_ALLOW_HOSTS }),
    // One line a type; docs/handlers.md has an example.
  ];
}

/** Limits of the parameters of any task, whatever its type. */
export const parameterLimits: PlainJsonLimits = { maxBytes: 256 * 1024, maxDepth: 32 };

const typePattern = /^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*$/;
const maxTypeLength = 100;

/** The handlers of this process by task type. Throws at start when a type is taken twice or its name is ill-formed. */
export class HandlerRegistry {
  readonly #byType = new Map<string, Handler>();

  constructor(handlers: Iterable<Handler>) {
    for (const handler of handlers) {
      const { type } = handler;
      if (!typePattern.test(type) || type.length > maxTypeLength) {
        throw new Error(
          `The task type ${JSON.stringify(type)} is not a valid name: use lower-case words, digits, "_" and "-" joined by dots, ` +
            `starting with a letter, at most ${maxTypeLength} characters, such as "report.render".`,
        );
      }
      if (this.#byType.has(type)) throw new Error(`The task type "${type}" has two handlers; rename one of them or leave it out.`);
      this.#byType.set(type, handler);
    }
  }

  get(type: string): Handler | undefined {
    return this.#byType.get(type);
  }

  /** Alphabetical. */
  types(): string[] {
    return [...this.#byType.keys()].sort();
  }

  /** In the order of registration. */
  all(): Handler[] {
    return [...this.#byType.values()];
  }
}

/**
 * What is wrong with the parameters a client sent for this handler; fields are named `parameters.x`. Those for workers, which have no
 * handler here, are only held against the limits.
 */
export function checkParameters(handler: Handler | undefined, plain: unknown): { errors: FieldError[] } {
  if (handler) return { errors: check(handler, plain).errors };
  const error = plainJsonError(plain, 'parameters', parameterLimits);
  return { errors: error ? [error] : [] };
}

/**
 * Stored parameters as an instance of the handler's class, defaults filled in. They were checked at create, so a misfit
 * means that the handler has changed since: `INVALID_PARAMETERS`, not retryable.
 */
export function readParameters<P extends object>(handler: Handler<P>, plain: unknown): P {
  const { value, errors } = check(handler, plain);
  if (!errors.length) return value;
  const detail = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
  throw new TaskFailure(
    'INVALID_PARAMETERS',
    `The parameters do not fit the task type ${handler.type} any more: ${detail}. Create the task anew.`,
    {
      retryable: false,
    },
  );
}

function check<P extends object>(handler: Handler<P>, plain: unknown): { value: P; errors: FieldError[] } {
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    return { value: new handler.parameters(), errors: [{ field: 'parameters', message: 'must be a JSON object' }] };
  }
  const error = plainJsonError(plain, 'parameters', parameterLimits);
  if (error) return { value: new handler.parameters(), errors: [error] };
  // Free parameters stay the very object: the class mapping would drop keys such as "constructor".
  if ((handler.parameters as unknown) === FreeParameters) return { value: plain as P, errors: [] };
  return checkInput(handler.parameters, plain, 'parameters');
}
