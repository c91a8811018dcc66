import { median } from './statistics.mjs';

/** The system that the others are compared with, where it takes part. */
const ours = 'arkitect';

/** All that was measured: measures in the order in which they came, a value a round for each system. */
export class Results {
  #measures = new Map();
  failures = [];

  /**
   * `measure`: {suite, name, unit, better: 'more' | 'less', base}; `system`: {name, label}.
   * With `base`, the name of a system, each ratio is to that one; without, it is of ours to each.
   */
  add({ suite, name, unit, better = 'more', base }, { name: system, label }, value) {
    if (!Number.isFinite(value)) throw new Error(`${label}, ${name}: ${value} is no measurement.`);
    const key = `${suite}: ${name}`;
    if (!this.#measures.has(key)) this.#measures.set(key, { suite, name, unit, better, base, systems: new Map() });
    const { systems } = this.#measures.get(key);
    if (!systems.has(system)) systems.set(system, { name: system, label, values: [] });
    systems.get(system).values.push(value);
  }

  /** A measurement that could not be made is said, not left out. */
  fail(suite, system, error) {
    this.failures.push({ suite, system: system.name, message: error.message.split('\n').slice(0, 5).join('\n') });
  }

  /** Per measure and system: the values of all rounds, their median, spread and `ratio`. */
  summary() {
    return [...this.#measures.values()].map(({ systems, ...measure }) => {
      const rows = [...systems.values()].map(({ name, label, values }) => ({
        name,
        label,
        values,
        median: median(values),
        min: Math.min(...values),
        max: Math.max(...values),
      }));
      const first = rows.findIndex((row) => row.name === (measure.base ?? ours));
      if (first < 0) return { ...measure, systems: rows };
      const [reference] = rows.splice(first, 1);
      for (const row of rows) {
        const ratio = measure.base ? row.median / reference.median : reference.median / row.median;
        if (Number.isFinite(ratio)) row.ratio = ratio;
      }
      return { ...measure, systems: [reference, ...rows] };
    });
  }
}
