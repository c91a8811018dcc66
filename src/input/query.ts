import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { registerDecorator, ValidateIf } from 'class-validator';
import { isLabelKey, isLabelValue, Whole } from './fields.js';

/*
 * Decorators of what lists take in their query strings, beside the fields of fields.ts.
 */

/** Values of one filter. */
const maxAlternatives = 20;

/** `a,b` and `x=a&x=b` both mean a or b. */
function alternatives(value: unknown, form?: 'NFC'): unknown {
  const parts = Array.isArray(value) ? (value as unknown[]) : [value];
  if (!parts.every((part) => typeof part === 'string')) return value;
  const trimmed = parts.flatMap((part) => part.split(',')).map((part) => part.trim());
  return form ? trimmed.map((part) => part.normalize(form)) : trimmed;
}

/** A filter that takes one or more values; more than one means OR. `accepts` completes "must be …". */
export function AnyOf(options: {
  description: string;
  example: string;
  values?: readonly string[];
  accepts: string;
  form?: 'NFC';
  test(value: string): boolean;
}) {
  const { description, example, values, accepts, form, test } = options;
  return applyDecorators(
    ApiProperty({
      required: false,
      type: 'array',
      items: { type: 'string', ...(values && { enum: [...values] }) },
      description,
      example: [example],
    }),
    ValidateIf((_, value: unknown) => value !== undefined),
    Transform(({ value }: { value: unknown }) => alternatives(value, form)),
    (target: object, propertyName: string | symbol) =>
      registerDecorator({
        name: 'anyOf',
        target: target.constructor,
        propertyName: propertyName as string,
        options: { message: `must be 1 to ${maxAlternatives} of these, separated by commas: ${accepts}` },
        validator: {
          validate: (value: unknown) =>
            Array.isArray(value) &&
            value.length >= 1 &&
            value.length <= maxAlternatives &&
            value.every((item) => typeof item === 'string' && test(item)),
        },
      }),
  );
}

/** Each element is alternatives of its own: `label=a=1,a=2&label=b=3` means (a is 1 or 2) and b is 3. */
export function LabelFilter() {
  return applyDecorators(
    ApiProperty({
      required: false,
      type: 'array',
      items: { type: 'string' },
      description: 'With this label, as key=value. Commas mean OR; several `label` parameters must all hold.',
      example: ['team=reporting'],
    }),
    ValidateIf((_, value: unknown) => value !== undefined),
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? [value] : value)),
    (target: object, propertyName: string | symbol) =>
      registerDecorator({
        name: 'labelFilter',
        target: target.constructor,
        propertyName: propertyName as string,
        options: { message: `must be 1 to ${maxAlternatives} of these, separated by commas: labels as key=value` },
        validator: {
          validate: (value: unknown) =>
            Array.isArray(value) &&
            value.length >= 1 &&
            value.every((group) => typeof group === 'string') &&
            value.flatMap(labelsIn).length <= maxAlternatives &&
            value.every((group) => group.split(',').every((label) => isLabel(label.trim()))),
        },
      }),
  );
}

function isLabel(text: string): boolean {
  const at = text.indexOf('=');
  return at > 0 && isLabelKey(text.slice(0, at)) && isLabelValue(text.slice(at + 1));
}

/** The alternatives of one element of a label filter: `team=a,team=b` as `[['team', 'a'], ['team', 'b']]`. */
export function labelsIn(group: string): [key: string, value: string][] {
  return group.split(',').map((part) => {
    const label = part.trim();
    const at = label.indexOf('=');
    return [label.slice(0, at), label.slice(at + 1)];
  });
}

/** Query strings hold text; what looks like a whole number becomes one, the rest is left for the rule to refuse. */
export const NumberFromQuery = () =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value));

/** Where a list of ids goes on. */
export function Cursor() {
  return applyDecorators(
    ApiProperty({
      required: false,
      type: 'string',
      format: 'uuid',
      description: 'The `next_cursor` of the page before.',
      example: '0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b',
    }),
    ValidateIf((_, value: unknown) => value !== undefined),
    (target: object, propertyName: string | symbol) =>
      registerDecorator({
        name: 'cursor',
        target: target.constructor,
        propertyName: propertyName as string,
        options: { message: 'must be the next_cursor of an earlier page, unchanged' },
        validator: { validate: (value: unknown) => typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value) },
      }),
  );
}

/** A page, newest first; the cursor is an id. */
export class PageDto {
  @NumberFromQuery()
  @Whole({ min: 1, max: 200, optional: true, default: 50, description: 'At most this many.', example: 50 })
  limit: number = 50;

  @Cursor()
  cursor?: string;
}

/** Pages of what has happened to something: oldest first, the cursor is a number. */
export class HistoryPageDto {
  @NumberFromQuery()
  @Whole({ min: 1, max: 200, optional: true, default: 50, description: 'At most this many.', example: 50 })
  limit: number = 50;

  @NumberFromQuery()
  @Whole({ min: 0, max: Number.MAX_SAFE_INTEGER, optional: true, description: 'The `next_cursor` of the page before.', example: 17 })
  cursor?: number;
}
