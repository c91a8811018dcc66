import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsIn, IsInt, IsISO8601, IsObject, Matches, Max, Min, registerDecorator, ValidateIf, ValidateNested } from 'class-validator';
import { Raw } from './validate.js';

/*
 * Decorators of input fields: what is accepted, its OpenAPI schema and its error message, said once.
 * All take `optional`; an optional field may be absent, but null is a value and is refused unless `nullable`.
 */

interface FieldOptions {
  description: string;
  example?: unknown;
  default?: unknown;
  optional?: boolean;
  nullable?: boolean;
}

function field(options: FieldOptions, schema: Partial<ApiPropertyOptions>, ...rules: PropertyDecorator[]): PropertyDecorator {
  const { optional = false, nullable = false, ...shown } = options;
  return applyDecorators(
    ApiProperty({ ...shown, ...schema, required: !optional, ...(nullable && { nullable }) } as ApiPropertyOptions),
    ...(optional || nullable
      ? [ValidateIf((_, value: unknown) => !((optional && value === undefined) || (nullable && value === null)))]
      : []),
    ...rules,
  );
}

/** A rule that is one function; `message` completes "<field> …". */
function rule(name: string, message: string, test: (value: unknown) => boolean): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: propertyName as string,
      options: { message },
      validator: { validate: test },
    });
}

/** What takes a function to check: `problem` completes "<field> …", or is undefined for what is accepted. */
export function Checked(
  options: { description: string; required?: boolean; [schema: string]: unknown },
  problem: (value: unknown) => string | undefined,
): PropertyDecorator {
  const { required = true } = options;
  return applyDecorators(
    ApiProperty({ type: String, ...options }),
    ...(required ? [] : [ValidateIf((_, value: unknown) => value !== undefined)]),
    (target: object, propertyName: string | symbol) =>
      registerDecorator({
        name: 'checked',
        target: target.constructor,
        propertyName: propertyName as string,
        options: { message: (args) => problem(args.value) ?? '' },
        validator: { validate: (value: unknown) => problem(value) === undefined },
      }),
  );
}

// Control characters but tab, line feed and carriage return; and the two halves of a broken surrogate pair.
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/** Text for people: trimmed, NFC-normalised, no control characters. */
export function Text(options: FieldOptions & { max: number }): PropertyDecorator {
  const { max, ...shown } = options;
  return field(
    shown,
    { type: 'string', minLength: 1, maxLength: max },
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim().normalize('NFC') : value)),
    rule(
      'text',
      `must be text of 1 to ${max} characters without control characters`,
      (value) => typeof value === 'string' && value.length > 0 && [...value].length <= max && isText(value) && !/[\t\n\r]/.test(value),
    ),
  );
}

export function isText(value: string): boolean {
  return !control.test(value) && value.isWellFormed();
}

/** A name for programs: queue and type. */
export const namePattern = /^[a-z0-9][a-z0-9_.:-]{0,99}$/;
export const nameRule = 'must be a name of 1 to 100 characters: lower-case letters, digits, and . _ : - inside';

export function Name(options: FieldOptions): PropertyDecorator {
  return field(
    options,
    { type: 'string', pattern: namePattern.source, maxLength: 100 },
    rule('name', nameRule, (value) => typeof value === 'string' && namePattern.test(value)),
  );
}

/** A metric, as Prometheus names them. */
export function MetricName(options: FieldOptions): PropertyDecorator {
  const pattern = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/;
  return field(
    options,
    { type: 'string', pattern: pattern.source },
    rule('metricName', 'must be the name of a metric, such as arkitect_tasks', (value) => typeof value === 'string' && pattern.test(value)),
  );
}

/** Any UUID, in either case. */
export const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function idRule(what: string): string {
  return `must be ${what} id, such as 0198f3c2-7d1e-7a55-9b5e-3f0c8a1d2e4b`;
}

/** The id of what `what` says, in lower case from here on. */
export function IdField(what: 'a task' | 'an alert' | 'a silence' | 'a channel' | 'a rule' | 'a run'): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value)),
    Matches(idPattern, { message: idRule(what) }),
  );
}

export function Whole(options: FieldOptions & { min: number; max: number }): PropertyDecorator {
  const { min, max, ...shown } = options;
  const message = `must be a whole number from ${min} to ${max}`;
  return field(shown, { type: 'integer', minimum: min, maximum: max }, IsInt({ message }), Min(min, { message }), Max(max, { message }));
}

/** Change only this version. */
export function IfVersion(): PropertyDecorator {
  return Whole({ min: 1, max: Number.MAX_SAFE_INTEGER, optional: true, description: 'As the REST header If-Match.' });
}

export function Decimal(options: FieldOptions & { min: number; max: number }): PropertyDecorator {
  const { min, max, ...shown } = options;
  return field(
    shown,
    { type: 'number', minimum: min, maximum: max },
    rule('decimal', `must be a number from ${min} to ${max}`, (value) => typeof value === 'number' && value >= min && value <= max),
  );
}

export function Choice(options: FieldOptions & { values: readonly string[] }): PropertyDecorator {
  const { values, ...shown } = options;
  return field(shown, { type: 'string', enum: [...values] }, IsIn(values, { message: `must be one of ${values.join(', ')}` }));
}

export function Flag(options: FieldOptions): PropertyDecorator {
  return field(
    options,
    { type: 'boolean' },
    rule('flag', 'must be true or false', (value) => typeof value === 'boolean'),
  );
}

const timeMessage = 'must be a time such as 2026-01-31T12:00:00.000Z (RFC 3339, with a time zone, years 1970 to 9999)';

export function isTime(value: unknown): boolean {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.test(value)) return false;
  const milliseconds = Date.parse(value);
  return milliseconds >= 0 && milliseconds < 253_402_300_800_000;
}

export function Time(options: FieldOptions): PropertyDecorator {
  return field(
    options,
    { type: 'string', format: 'date-time' },
    IsISO8601({ strict: true }, { message: timeMessage }),
    rule('time', timeMessage, isTime),
  );
}

/**
 * Free JSON as the client sent it.
 * Size and depth are checked where it is used, so that the error can name the exact path.
 */
/** `schemas`: what it may be; whoever takes it checks that. */
export function FreeJsonObject({ schemas, ...options }: FieldOptions & { schemas?: { $ref: string }[] }): PropertyDecorator {
  const schema = schemas ? { anyOf: schemas } : ({ type: 'object', additionalProperties: true } as const);
  return field(options, schema, Raw(), IsObject({ message: 'must be a JSON object' }));
}

export const maxLabels = 64;

/** A flat map of short strings; `removable` lets null stand for "take this one away". */
export function Labels(options: FieldOptions & { removable?: boolean }): PropertyDecorator {
  const { removable = false, ...shown } = options;
  return field(
    shown,
    { type: 'object', additionalProperties: { type: 'string', maxLength: 255, ...(removable && { nullable: true }) } },
    Raw(),
    rule(
      'labels',
      `must be an object of at most ${maxLabels} labels; a key is 1 to 63 of A-Z a-z 0-9 . _ / -, a value is text of at most 255 characters`,
      (value) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
        const entries = Object.entries(value);
        return (
          entries.length <= maxLabels &&
          entries.every(
            ([key, label]) => isLabelKey(key) && (typeof label === 'string' ? isLabelValue(label) : removable && label === null),
          )
        );
      },
    ),
  );
}

export const labelKeyPattern = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;

export function isLabelKey(key: string): boolean {
  return labelKeyPattern.test(key);
}

export function isLabelValue(value: string): boolean {
  return value.length <= 255 && isText(value) && !/[\t\n\r]/.test(value);
}

/** Text for programs, taken as it is; `accepts` completes "must be …". */
export function TextValue(options: FieldOptions & { max: number; accepts: string; test(value: string): boolean }): PropertyDecorator {
  const { max, accepts, test, ...shown } = options;
  return field(
    shown,
    { type: 'string', maxLength: max },
    rule('textValue', `must be ${accepts}`, (value) => typeof value === 'string' && value.length <= max && test(value)),
  );
}

/** A list of short texts; `accepts` completes "must be a list of …". */
export function Texts(
  options: FieldOptions & { min?: number; max: number; accepts: string; test(value: string): boolean },
): PropertyDecorator {
  const { min = 0, max, accepts, test, ...shown } = options;
  return field(
    shown,
    { type: 'array', items: { type: 'string' }, minItems: min, maxItems: max },
    rule(
      'texts',
      `must be a list of ${min} to ${max} ${accepts}`,
      (value) =>
        Array.isArray(value) && value.length >= min && value.length <= max && value.every((item) => typeof item === 'string' && test(item)),
    ),
  );
}

/** A list of objects, each checked as `type`. */
export function Items(type: new () => object, options: FieldOptions & { min?: number; max: number }): PropertyDecorator {
  const { min = 0, max, ...shown } = options;
  const message = `must be a list of ${min} to ${max} objects`;
  // ValidateNested alone would take lists for objects.
  const isObject = (item: unknown) => typeof item === 'object' && item !== null && !Array.isArray(item);
  return field(
    shown,
    { type: () => [type], minItems: min, maxItems: max },
    rule('items', message, (value) => Array.isArray(value) && value.length >= min && value.length <= max && value.every(isObject)),
    ValidateNested({ each: true, message }),
    Type(() => type),
  );
}

/** An object, checked as `type`. */
export function Item(type: new () => object, options: FieldOptions): PropertyDecorator {
  const message = 'must be a JSON object';
  return field(
    options,
    { type: () => type },
    IsObject({ message }),
    ValidateNested({ message }),
    Type(() => type),
  );
}
