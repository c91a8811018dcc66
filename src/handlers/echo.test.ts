import { expect, test } from 'vitest';
import { echo } from './echo.js';
import type { HandlerContext } from './handler.js';
import type { FreeParameters } from './free-parameters.js';

test('the result of echo is its parameters', async () => {
  const parameters = { text: 'hello', list: [1, null, { deep: true }] };
  const context = { task: { parameters } } as unknown as HandlerContext<FreeParameters>;
  expect(await echo().run(context)).toEqual({ text: 'hello', list: [1, null, { deep: true }] });
});
