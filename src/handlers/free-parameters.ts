import type { Json } from '../tasks/task.js';

/**
 * The `parameters` class of a handler that takes any JSON object: it declares no fields, so none are checked beyond
 * the limits that hold for every task. Handlers use it as it is; a class that extends it is checked like any other.
 */
export class FreeParameters {
  [name: string]: Json;
}
