import { CodedError, invalid, type FieldError } from '../../errors/coded-error.js';
import { isText, isTime } from '../../input/fields.js';
import type { Labels } from '../alert.js';
import { expressionProblem, type Matcher } from '../matchers.js';

/* What clients of Alertmanager send, checked by hand: lists at the root, and fields that newer clients may add. */

/** An alert as Prometheus posts it. Times are RFC 3339. */
export interface PostedAlert {
  /** With `alertname`. */
  labels: Labels;
  annotations: Labels;
  /** Absent: now. */
  startsAt?: string;
  /** In the past: it is resolved. Absent: it ends when nobody repeats it. */
  endsAt?: string;
  generatorURL?: string;
}

export interface PostedSilence {
  /** The one that it replaces. */
  id?: string;
  matchers: Matcher[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
}

const maxAlerts = 1_000;
const maxText = 4_096;
/** Wider than of old: newer Prometheus allows more. */
const labelName = /^[A-Za-z_][A-Za-z0-9_.:/-]{0,127}$/;

function refuse(field: string, message: string): never {
  throw invalid([{ field, message }]);
}

/** The good ones and what is wrong with the others: one bad alert must not keep the rest of its batch from being heard. */
export function readAlerts(body: unknown): { alerts: PostedAlert[]; problems: FieldError[] } {
  if (!Array.isArray(body) || body.length > maxAlerts) return refuse('body', `must be a list of at most ${maxAlerts} alerts`);
  const alerts: PostedAlert[] = [];
  const problems: FieldError[] = [];
  for (const [index, item] of body.entries()) {
    try {
      alerts.push(readAlert(objectAt(item, `[${index}]`), `[${index}]`));
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      problems.push(...error.fields);
    }
  }
  return { alerts, problems };
}

function readAlert({ labels, annotations, startsAt, endsAt, generatorURL }: Record<string, unknown>, path: string): PostedAlert {
  const read = readLabels(labels, `${path}.labels`);
  if (!read['alertname']) refuse(`${path}.labels.alertname`, 'must be given');
  const starts = optionalTime(startsAt, `${path}.startsAt`);
  const ends = optionalTime(endsAt, `${path}.endsAt`);
  if (starts && ends && Date.parse(ends) < Date.parse(starts)) refuse(`${path}.endsAt`, 'must not be before startsAt');
  return {
    labels: read,
    annotations: annotations === undefined || annotations === null ? {} : readAnnotations(annotations, `${path}.annotations`),
    ...(starts && { startsAt: starts }),
    ...(ends && { endsAt: ends }),
    // A link, no more: one that is too long for us is left out.
    ...(typeof generatorURL === 'string' && generatorURL.length <= maxText && URL.canParse(generatorURL) && { generatorURL }),
  };
}

/** A label without a value is one that is not there. */
function readLabels(value: unknown, path: string): Labels {
  const entries = Object.entries(objectAt(value, path)).filter(([, label]) => label !== '');
  if (entries.length > 64) refuse(path, 'must hold at most 64 names');
  for (const [key, label] of entries) {
    if (!labelName.test(key)) refuse(`${path}.${key}`, 'must be named by letters, digits and _ . : / -, beginning with a letter or _');
    text(label, `${path}.${key}`);
  }
  return Object.fromEntries(entries) as Labels;
}

/** Words for people: what is too long is cut. */
function readAnnotations(value: unknown, path: string): Labels {
  const given = Object.entries(objectAt(value, path)).map(([key, words]) => [
    key,
    typeof words === 'string' ? words.slice(0, maxText).toWellFormed() : words,
  ]);
  return readLabels(Object.fromEntries(given), path);
}

export function readSilence(body: unknown): PostedSilence {
  const { id, matchers, startsAt, endsAt, createdBy, comment } = objectAt(body, 'body');
  if (!Array.isArray(matchers) || matchers.length < 1 || matchers.length > 50)
    return refuse('matchers', 'must be a list of 1 to 50 matchers');
  const starts = optionalTime(startsAt, 'startsAt') ?? refuse('startsAt', 'must be given');
  const ends = optionalTime(endsAt, 'endsAt') ?? refuse('endsAt', 'must be given');
  if (Date.parse(ends) <= Date.parse(starts)) refuse('endsAt', 'must be after startsAt');
  if (Date.parse(ends) <= Date.now()) refuse('endsAt', 'must be in the future');
  return {
    ...(typeof id === 'string' && id !== '' && { id }),
    matchers: matchers.map((matcher: unknown, index) => readMatcher(objectAt(matcher, `matchers[${index}]`), `matchers[${index}]`)),
    startsAt: starts,
    endsAt: ends,
    createdBy: text(createdBy, 'createdBy'),
    comment: text(comment, 'comment'),
  };
}

function readMatcher({ name, value, isRegex, isEqual = true }: Record<string, unknown>, path: string): Matcher {
  if (typeof name !== 'string' || !labelName.test(name)) return refuse(`${path}.name`, 'must be the name of a label');
  if (typeof isRegex !== 'boolean' || typeof isEqual !== 'boolean') return refuse(path, 'must say isRegex (and isEqual) as true or false');
  const operator = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';
  return checked({ label: name, operator, value: text(value, `${path}.value`, 0) }, `${path}.value`);
}

function checked(matcher: Matcher, field: string): Matcher {
  const problem = matcher.operator.endsWith('~') ? expressionProblem(matcher.value) : undefined;
  return problem ? refuse(field, `must be a regular expression of RE2: ${problem}`) : matcher;
}

/** The query parameter `filter`, once or several times: `severity="critical"`, `queue=~"a|b"`. */
export function readFilters(filter: string | string[] | undefined): Matcher[] {
  return [filter ?? []].flat().map((given) => {
    const [, name, operator, quoted, bare] = /^\s*([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*(?:("(?:[^"\\]|\\.)*")|([^"]*?))\s*$/.exec(given) ?? [];
    if (name === undefined) return refuse('filter', 'must be a matcher such as severity="critical"');
    const value = quoted === undefined ? bare! : unquoted(quoted);
    return checked({ label: name, operator: operator as Matcher['operator'], value }, 'filter');
  });
}

/** As Go quotes: the escapes of JSON, and others that stand for themselves. */
function unquoted(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1');
  }
}

function objectAt(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(path, 'must be a JSON object');
  return value as Record<string, unknown>;
}

function text(value: unknown, path: string, min = 1): string {
  if (typeof value === 'string' && value.length >= min && value.length <= maxText && isText(value)) return value;
  return refuse(path, `must be text of ${min} to ${maxText} characters without control characters`);
}

/** Go writes "no time" as the year 1. */
function optionalTime(value: unknown, path: string): string | undefined {
  if (value === undefined || value === null || (typeof value === 'string' && value.startsWith('0001-01-01'))) return undefined;
  if (!isTime(value)) return refuse(path, 'must be a time such as 2026-01-31T12:00:00.000Z');
  return new Date(value as string).toISOString();
}
