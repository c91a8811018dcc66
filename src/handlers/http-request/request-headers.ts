/** Set by the client itself; a caller who could set them could speak to the server past our back (request smuggling). */
const refused = new Set([
  'arkitect-attempt',
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const namePattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;
const maxBytes = 16 * 1024;

/** What is wrong with the caller's headers, or nothing. */
export function headersProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be an object of names and texts';
  const seen = new Set<string>();
  let bytes = 0;
  for (const [name, text] of Object.entries(value)) {
    const lower = name.toLowerCase();
    if (!namePattern.test(name)) return `must not hold the name ${JSON.stringify(name.slice(0, 100))}, which is not a header name`;
    if (refused.has(lower)) return `must not hold "${name}", which the server sets by itself`;
    if (seen.has(lower)) return `must not hold "${name}" twice`;
    if (typeof text !== 'string' || !valuePattern.test(text)) return `must give "${name}" as one line of Latin-1 text`;
    seen.add(lower);
    bytes += name.length + text.length;
  }
  return bytes > maxBytes ? `must not be longer than ${maxBytes} characters in all` : undefined;
}
