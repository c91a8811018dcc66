import type { TestServer } from './server.js';

/** Every route that the running server has, as the router itself lists them. */
export function routesOf(server: TestServer): [method: string, path: string][] {
  const tree = (server.server.app.getHttpAdapter().getInstance() as { printRoutes(options: object): string }).printRoutes({
    commonPrefix: false,
  });
  const parents: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent, segment, methods] = /^((?:│ {3}| {4})*)[├└]── (\S+)(?: \(([^)]*)\))?/.exec(line) ?? [];
    if (segment === undefined) return [];
    const depth = indent!.length / 4;
    parents.splice(depth);
    const path = parents.join('') + segment;
    parents.push(segment);
    return (methods ?? '')
      .split(', ')
      .filter(Boolean)
      .map((method): [string, string] => [method, path]);
  });
}
