import type { FieldError } from '../../errors/coded-error.js';
import { defaultRouteName, type RouteSettings, type Routing } from '../flow/routing.js';
import { matcherProblems } from '../matcher.dto.js';

/** What is wrong with a routing whose fields are valid each by itself; `channels` are the names that there are. */
export function routingProblems({ routes, default_route, inhibitions }: Routing, channels: readonly string[]): FieldError[] {
  return [
    ...routes.flatMap((route, index) => [
      ...matcherProblems(route.matchers, `routes[${index}].matchers`),
      ...channelProblems(route, `routes[${index}]`, channels),
    ]),
    ...channelProblems(default_route, 'default_route', channels),
    ...inhibitions.flatMap(({ source_matchers, target_matchers }, index) => [
      ...matcherProblems(source_matchers, `inhibitions[${index}].source_matchers`),
      ...matcherProblems(target_matchers, `inhibitions[${index}].target_matchers`),
    ]),
    ...nameProblems(routes, 'routes', [defaultRouteName]),
    ...nameProblems(inhibitions, 'inhibitions', []),
  ];
}

function channelProblems({ channels, escalation }: RouteSettings, field: string, known: readonly string[]): FieldError[] {
  const named = [
    { field: `${field}.channels`, names: channels ?? [] },
    ...escalation.map((step, index) => ({ field: `${field}.escalation[${index}].channels`, names: step.channels })),
  ];
  const few = known.slice(0, 10).join(', ');
  const message = `must be the name of a channel${few ? `, such as ${few}` : '; there is none yet, and POST /alerts/channels makes one'}`;
  return named.flatMap(({ field, names }) =>
    names.flatMap((name, index) => (known.includes(name) ? [] : [{ field: `${field}[${index}]`, message }])),
  );
}

function nameProblems(items: readonly { name: string }[], field: string, taken: readonly string[]): FieldError[] {
  const seen = new Set(taken);
  return items.flatMap(({ name }, index) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    const message = taken.includes(name) ? `must not be ${name}, which is that of what no route takes` : `must not be ${name} again`;
    return [{ field: `${field}[${index}].name`, message }];
  });
}
