import { FreeParameters } from './free-parameters.js';
import type { Handler } from './handler.js';

export function echo(): Handler<FreeParameters> {
  return {
    type: 'echo',
    description: 'Returns its parameters as they are; for trying things out.',
    parameters: FreeParameters,
    run: async ({ task }) => task.parameters,
  };
}
