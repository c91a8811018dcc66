import type { Labels } from '../alert.js';
import { matchesAll } from '../matchers.js';
import type { Inhibition } from './routing.js';

/** An active alert, with what matchers see of it. */
export interface Labelled {
  id: string;
  labels: Labels;
}

/** Which of the `active` alerts inhibit one with these labels, by id. */
export function inhibitor(inhibitions: readonly Inhibition[], active: readonly Labelled[]): (labels: Labels) => string[] {
  // By the values of `equal`, so that an alert is looked up rather than compared with each source.
  const rules = inhibitions.map((rule) => {
    const all = new Map<string, string[]>();
    const oneSided = new Map<string, string[]>();
    for (const { id, labels } of active) {
      if (!matchesAll(rule.source_matchers, labels)) continue;
      add(all, equalValues(rule, labels), id);
      if (!matchesAll(rule.target_matchers, labels)) add(oneSided, equalValues(rule, labels), id);
    }
    return { rule, all, oneSided };
  });
  return (labels) => {
    if (rules.length === 0) return [];
    const found = rules.flatMap(({ rule, all, oneSided }) => {
      if (all.size === 0 || !matchesAll(rule.target_matchers, labels)) return [];
      // What is on both sides is inhibited only by what is not: neither by itself, nor two by each other.
      const sources = matchesAll(rule.source_matchers, labels) ? oneSided : all;
      return sources.get(equalValues(rule, labels)) ?? [];
    });
    return [...new Set(found)];
  };
}

function add(map: Map<string, string[]>, key: string, id: string): void {
  const ids = map.get(key);
  if (ids) ids.push(id);
  else map.set(key, [id]);
}

function equalValues({ equal }: Inhibition, labels: Labels): string {
  return JSON.stringify(equal.map((label) => (Object.hasOwn(labels, label) ? labels[label] : '')));
}
