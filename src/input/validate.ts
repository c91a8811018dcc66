import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, ValidationTypes, validateSync, type ValidationError } from 'class-validator';
import { invalid, type FieldError } from '../errors/coded-error.js';
import { accept } from './accept.js';

type Class<T> = new () => T;

/**
 * The one validation of all doors and handlers: `plain` as an instance of `type`, or `VALIDATION_FAILED`
 * naming every bad field under `path`. Unknown fields are refused.
 */
export function validateInput<T extends object>(type: Class<T>, plain: unknown, path = ''): T {
  const { value, errors } = checkInput(type, plain, path);
  if (errors.length) throw invalid(errors);
  return value;
}

export function checkInput<T extends object>(type: Class<T>, plain: unknown, path = ''): { value: T; errors: FieldError[] } {
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    return { value: new type(), errors: [{ field: path || 'body', message: 'must be a JSON object' }] };
  }
  const fields = fieldsOf(type);
  const accepted = accept(type, plain, fields.raw);
  if (accepted) return { value: accepted, errors: [] };
  return checkThoroughly(type, plain, path, fields);
}

/** By class-validator, which says what is wrong with each field. */
export function checkThoroughly<T extends object>(
  type: Class<T>,
  plain: object,
  path = '',
  fields = fieldsOf(type),
): { value: T; errors: FieldError[] } {
  const inherited = inheritedFields(plain, path, () => unknownField(fields));
  for (const key of fields.nested) {
    const child = (plain as Record<string, unknown>)[key];
    inherited.push(...inheritedWithin(child, path ? `${path}.${key}` : key));
  }
  if (inherited.length) return { value: new type(), errors: inherited };
  const value = instanceOf(type, plain, fields.raw);
  if (!value) {
    const field = Object.entries(plain).find(([, child]) => JSON.stringify(child)?.includes('"constructor":'))?.[0] ?? 'body';
    return {
      value: new type(),
      errors: [{ field: path ? `${path}.${field}` : field, message: 'must not hold a key named "constructor"' }],
    };
  }
  const errors = validateSync(value, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: false,
    validationError: { target: true },
  });
  return { value, errors: errors.flatMap((error) => flatten(error, path)) };
}

/** class-validator takes the names of inherited members (`toString`) for known fields, and drops them. */
function inheritedFields(plain: object, path: string, message: () => string): FieldError[] {
  const keys = Object.keys(plain).filter((key) => key in Object.prototype);
  return keys.map((key) => ({ field: path ? `${path}.${key}` : key, message: message() }));
}

/** The same of objects in lists and in each other; how deep they may be has been checked. */
function inheritedWithin(value: unknown, path: string): FieldError[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : inheritedFields(value, path, () => 'is not a known field');
  const pathOf = (key: string) => (Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`);
  return [...own, ...Object.entries(value).flatMap(([key, child]) => inheritedWithin(child, pathOf(key)))];
}

/** What the decorators of an input class say of its fields. */
interface Fields {
  known: string[];
  nested: string[];
  raw: ReadonlySet<string>;
}

const fieldsByType = new WeakMap<Class<object>, Fields>();

/** Read once for each class: class-validator goes through all classes there are to answer for one. */
function fieldsOf(type: Class<object>): Fields {
  let fields = fieldsByType.get(type);
  if (!fields) {
    const metadata = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
    const nested = metadata.filter((entry) => entry.type === ValidationTypes.NESTED_VALIDATION);
    fields = {
      known: [...new Set(metadata.map((entry) => entry.propertyName))],
      nested: nested.map((entry) => entry.propertyName),
      raw: rawFieldsOf(type),
    };
    fieldsByType.set(type, fields);
  }
  return fields;
}

const rawFields = new Map<object, Set<string>>();

/** Marks a field that stays the very value the client sent: class-transformer would copy it deeply, and trip over some keys. */
export function Raw(): PropertyDecorator {
  return (target, key) => {
    rawFields.set(target, (rawFields.get(target) ?? new Set<string>()).add(key as string));
  };
}

function rawFieldsOf(type: Class<object>): ReadonlySet<string> {
  const raw = new Set<string>();
  for (let target: object | null = type.prototype as object; target; target = Object.getPrototypeOf(target) as object | null) {
    for (const key of rawFields.get(target) ?? []) raw.add(key);
  }
  return raw;
}

function instanceOf<T extends object>(type: Class<T>, plain: object, rawKeys: ReadonlySet<string>): T | undefined {
  // Keys that would reach a prototype by assignment were refused before.
  const raw: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(plain)) (rawKeys.has(key) ? raw : rest)[key] = value;
  try {
    return Object.assign(plainToInstance(type, rest, { exposeDefaultValues: true }), raw);
  } catch (error) {
    // class-transformer calls `value.constructor` of whatever it meets; such a key is its one stumbling block.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function flatten(error: ValidationError, path: string): FieldError[] {
  const isIndex = /^\d+$/.test(error.property) && Array.isArray(error.target);
  const field = isIndex ? `${path}[${error.property}]` : path ? `${path}.${error.property}` : error.property;
  const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => ({
    field,
    message:
      rule === 'whitelistValidation'
        ? unknownField(fieldsOf(error.target!.constructor as Class<object>))
        : withoutName(message, error.property),
  }));
  // One message a field is enough: the first declared rule that failed.
  return [...own.slice(-1), ...(error.children ?? []).flatMap((child) => flatten(child, field))];
}

function withoutName(message: string, property: string): string {
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}

function unknownField({ known }: Fields): string {
  return known.length ? `is not a known field; accepted are ${known.join(', ')}` : 'is not a known field; none are accepted here';
}
