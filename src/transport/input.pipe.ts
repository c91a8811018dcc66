import {
  createParamDecorator,
  Injectable,
  Param,
  type ArgumentMetadata,
  type ExecutionContext,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { invalid } from '../errors/coded-error.js';
import { idPattern, idRule } from '../input/fields.js';
import { isPrototypeKey } from '../input/plain-json.js';
import { validateInput } from '../input/validate.js';

/** Deeper than any accepted input; what is deeper would overflow the stack of the checks that follow. */
const maxDepth = 64;

/** Global pipe of all doors: an argument whose type is a DTO class becomes a valid instance of it. */
@Injectable()
export class InputPipe implements PipeTransform {
  private readonly checked = new Map<Type, boolean>();

  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (type === 'custom' || !metatype || !this.isDto(metatype)) return value;
    // A message or a request without a body is one without fields.
    const plain = value === undefined ? {} : value;
    refuseUnsafe(plain);
    return validateInput(metatype as Type<object>, plain);
  }

  private isDto(metatype: Type): boolean {
    let isDto = this.checked.get(metatype);
    if (isDto === undefined) {
      isDto = getMetadataStorage().getTargetValidationMetadatas(metatype, '', false, false).length > 0;
      this.checked.set(metatype, isDto);
    }
    return isDto;
  }
}

/** The `id` of the path, in lower case; anything but a UUID is `VALIDATION_FAILED`. */
export const Id = (what: 'a task' | 'an alert' | 'a silence' | 'a run' = 'a task') =>
  Param('id', { transform: (value: unknown) => parseId(value, what) });

export function parseId(value: unknown, what: string): string {
  if (typeof value === 'string' && idPattern.test(value)) return value.toLowerCase();
  throw invalid([{ field: 'id', message: idRule(what) }]);
}

/** A message without fields. */
export class NoFields {}

/** For routes without a body: one without fields passes, as many clients send it; any field is refused, not ignored. */
export const NoBody = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const { body } = context.switchToHttp().getRequest<FastifyRequest>();
  refuseUnsafe(body);
  validateInput(NoFields, body === undefined || body === null ? {} : body);
});

interface Step {
  value: object;
  path: string;
  depth: number;
}

/** Refuses prototype keys, binary data and abysses anywhere, naming where. A loop, as recursion is what the depth attacks. */
function refuseUnsafe(root: unknown): void {
  if (typeof root !== 'object' || root === null) return;
  const steps: Step[] = [{ value: root, path: '', depth: 1 }];
  for (let step = steps.pop(); step; step = steps.pop()) {
    const { value, path, depth } = step;
    if (ArrayBuffer.isView(value)) throw invalid([{ field: path || 'body', message: 'must be JSON; binary data is not accepted' }]);
    if (depth > maxDepth)
      throw invalid([{ field: path.slice(0, 200), message: `is nested too deeply; nothing may pass ${maxDepth} levels` }]);
    const pathOf = (key: string) => (Array.isArray(value) ? `${path}[${key}]` : path ? `${path}.${key}` : key);
    for (const [key, child] of Object.entries(value)) {
      if (isPrototypeKey(key, child)) throw invalid([{ field: pathOf(key), message: 'is a prototype key, which is never accepted' }]);
      if (typeof child === 'object' && child !== null) steps.push({ value: child, path: pathOf(key), depth: depth + 1 });
    }
  }
}
