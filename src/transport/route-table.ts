/** Which methods each path takes, so that a wrong method can be told from an unknown path. Fastify keeps no such list. */
export class RouteTable {
  private readonly methods = new Map<string, Set<string>>();

  add(pattern: string, methods: string | string[]): void {
    // Wildcards belong to static files and preflights; they would claim paths that do not exist.
    if (pattern.includes('*')) return;
    const known = this.methods.get(pattern) ?? new Set();
    for (const method of [methods].flat()) known.add(method);
    this.methods.set(pattern, known);
  }

  /** The methods of `url` (its query is ignored), sorted; empty when the path is unknown. */
  allowedMethods(url: string): string[] {
    const path = url.split(/[?#]/, 1)[0] ?? '';
    const found = [...this.methods].filter(([pattern]) => matches(pattern, path)).flatMap(([, methods]) => [...methods]);
    return [...new Set(found)].sort();
  }
}

function matches(pattern: string, path: string): boolean {
  const expected = pattern.split('/');
  const given = path.split('/');
  return (
    expected.length === given.length &&
    expected.every((part, index) => (part.startsWith(':') ? given[index] !== '' : part === given[index]))
  );
}
