import { Liquid } from 'liquidjs';

/**
 * Templates come from users: they see their own data alone, no files and no prototypes, and end after bounded time and memory.
 * `{{ name | json }}` quotes a value for JSON.
 */
const engine = new Liquid({
  ownPropertyOnly: true,
  // An unknown filter is a mistake; an absent label is not.
  strictFilters: true,
  strictVariables: false,
  // Partials come from this list alone, never from disk.
  templates: {},
  parseLimit: 20_000,
  renderLimit: 200,
  memoryLimit: 4_000_000,
});

/** Throws with a sentence when the template is ill-formed or takes too much. */
export function renderTemplate(template: string, data: object): string {
  return engine.parseAndRenderSync(template, data) as string;
}

/** What is wrong with a template, or undefined. */
export function templateProblem(template: string, sample: object): string | undefined {
  try {
    renderTemplate(template, sample);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
