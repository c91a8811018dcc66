/** Keys whose values are never shown, by how they end: `authorization`, `set-cookie`, `lease_token`, `clientSecret`. */
const secretEnds = ['authorization', 'cookie', 'password', 'passwd', 'secret', 'token', 'api[-_]?key'];

const censor = '[redacted]';

/** What every line needs, whatever a secret looks like. */
const structure = new Set(['level', 'time']);

/**
 * Takes secrets out of finished lines of JSON: values by their keys, and known secrets wherever they turn up. Every line pays for two
 * searches; only one in which something is found is taken apart.
 */
export class Redactor {
  private readonly secretKey: RegExp;
  /** A key in a finished line. Ends of keys are found fast, and are few; what is before them is looked at only there (0.2 µs a line instead of 2). */
  private readonly keyInLine: RegExp;
  private readonly known = new Set<string>();
  private secretInLine: RegExp | undefined;
  private secretInText: RegExp | undefined;

  /** `keys`: more keys of secrets, as they are. */
  constructor(keys: readonly string[] = []) {
    const ends = [...secretEnds, ...keys.map(escaped)].join('|');
    this.secretKey = new RegExp(`(?:${ends})$`, 'i');
    this.keyInLine = new RegExp(`":(?<=(?:${ends})":)`, 'i');
  }

  /** Secrets that are not to be shown from now on. */
  add(...secrets: readonly string[]): void {
    for (const secret of secrets) if (secret) this.known.add(secret);
    if (this.known.size === 0) return;
    // As they are, as they are in JSON that is in a text, and as they are in a URL.
    const forms = [...this.known].flatMap((secret) => [secret, inJson(secret), inUrl(secret)]);
    this.secretInText = anyOf(forms, 'g');
    this.secretInLine = anyOf(forms.map(inJson), '');
  }

  /** A line of JSON without its secrets. */
  line(line: string): string {
    if (!this.keyInLine.test(line) && !this.secretInLine?.test(line)) return line;
    return this.takenApart(line);
  }

  /** A text without the known secrets. */
  text(text: string): string {
    return this.secretInText ? text.replaceAll(this.secretInText, censor) : text;
  }

  private takenApart(line: string): string {
    try {
      const fields = Object.entries(JSON.parse(line) as object);
      const clean = fields.map(([key, value]) => (structure.has(key) ? [key, value] : this.field(key, value)));
      return `${JSON.stringify(Object.fromEntries(clean))}\n`;
    } catch {
      // Too deep to be taken apart.
      return `${JSON.stringify({ level: 40, time: new Date().toISOString(), msg: 'A line with a secret could not be shown' })}\n`;
    }
  }

  private field(key: string, value: unknown): [string, unknown] {
    return [this.text(key), this.secretKey.test(key) ? censor : this.value(value)];
  }

  private value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') return this.secretInText && String(value).search(this.secretInText) >= 0 ? censor : value;
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, child]) => this.field(key, child)));
  }
}

/** The longest first: one secret may begin with another. */
function anyOf(texts: string[], flags: '' | 'g'): RegExp {
  const distinct = [...new Set(texts)].sort((a, b) => b.length - a.length);
  return new RegExp(distinct.map(escaped).join('|'), flags);
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function inUrl(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
