import { TransformationType, type TransformFnParams } from 'class-transformer';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage, ValidationTypes, type ValidationArguments } from 'class-validator';

/*
 * Nearly all input is valid, and class-validator and class-transformer take 20 µs to say so: they look up what the
 * decorators said anew for every object. Here it is looked up once for each class. This way can only accept; whatever it does
 * not take goes to class-validator, whose word on it is the one that counts.
 */

type Class<T> = new () => T;
type Check = (value: unknown, args: ValidationArguments) => boolean | Promise<boolean>;

interface Field {
  name: string;
  raw: boolean;
  transforms: ((params: TransformFnParams) => unknown)[];
  /** Of these all must hold, or the field is not checked. */
  conditions: ((object: object, value: unknown) => boolean)[];
  checks: Check[];
  nested: boolean;
}

const acceptors = new WeakMap<Class<object>, ((plain: object) => object | undefined) | 'none'>();

/** `plain` as an instance of `type` when it is surely valid; `undefined` when class-validator has to look. */
export function accept<T extends object>(type: Class<T>, plain: object, raw: ReadonlySet<string>): T | undefined {
  let acceptor = acceptors.get(type);
  if (!acceptor) acceptors.set(type, (acceptor = acceptorOf(type, raw) ?? 'none'));
  return acceptor === 'none' ? undefined : (acceptor(plain) as T | undefined);
}

function acceptorOf(type: Class<object>, raw: ReadonlySet<string>): ((plain: object) => object | undefined) | undefined {
  const fields = fieldsOf(type, raw);
  if (!fields) return undefined;
  const byName = new Map(fields.map((field) => [field.name, field]));
  return (plain) => {
    const value = new type() as Record<string, unknown>;
    for (const [key, given] of Object.entries(plain) as [string, unknown][]) {
      const field = byName.get(key);
      // Objects inside are class-transformer's to copy, unless they stay as they came.
      if (!field || (!field.raw && typeof given === 'object' && given !== null)) return undefined;
      value[key] = field.transforms.reduce<unknown>((current, transform) => transform(paramsOf(current, key, plain)), given);
    }
    return fields.every((field) => isValid(field, value)) ? value : undefined;
  };
}

function isValid({ name, conditions, checks, nested }: Field, object: Record<string, unknown>): boolean {
  const value = object[name];
  for (const condition of conditions) if (!condition(object, value)) return true;
  if (nested) return false;
  for (const check of checks) {
    if (check(value, { value, object, property: name, targetName: object.constructor.name, constraints: [] }) !== true) return false;
  }
  return true;
}

function paramsOf(value: unknown, key: string, obj: object): TransformFnParams {
  return { value, key, obj, type: TransformationType.PLAIN_TO_CLASS, options: {} };
}

/** `undefined` for a class that uses more of the two libraries than is understood here. */
function fieldsOf(type: Class<object>, raw: ReadonlySet<string>): Field[] | undefined {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  const understood = new Set([
    ValidationTypes.CUSTOM_VALIDATION,
    ValidationTypes.CONDITIONAL_VALIDATION,
    ValidationTypes.NESTED_VALIDATION,
  ]);
  if (metadata.some((rule) => !understood.has(rule.type) || rule.each || rule.groups?.length || rule.validateIf)) return undefined;
  const names = [...new Set(metadata.map((rule) => rule.propertyName))];
  return names.map((name) => {
    const rules = metadata.filter((rule) => rule.propertyName === name);
    const ofType = (wanted: string) => rules.filter((rule) => rule.type === wanted);
    return {
      name,
      raw: raw.has(name),
      transforms: defaultMetadataStorage
        .findTransformMetadatas(type, name, TransformationType.PLAIN_TO_CLASS)
        .map(({ transformFn }) => transformFn),
      conditions: ofType(ValidationTypes.CONDITIONAL_VALIDATION).map((rule) => rule.constraints[0] as Field['conditions'][number]),
      checks: ofType(ValidationTypes.CUSTOM_VALIDATION).flatMap(checksOf),
      nested: ofType(ValidationTypes.NESTED_VALIDATION).length > 0,
    };
  });
}

function checksOf(rule: { constraintCls: Function; constraints: unknown[] }): Check[] {
  return getMetadataStorage()
    .getTargetValidatorConstraints(rule.constraintCls)
    .map(
      ({ instance }) =>
        (value, args) =>
          instance.validate(value, { ...args, constraints: rule.constraints }),
    );
}
