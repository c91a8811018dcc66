import { expect } from 'vitest';
import { errorCodes, type ErrorCode } from '../../src/errors/error-codes.js';
import type { Answer } from './server.js';

/** Asserts that an answer is a whole problem (RFC 9457) with this code. */
export function expectProblem(answer: Answer, code: ErrorCode): void {
  expect(answer.body, `${answer.status} ${JSON.stringify(answer.body)}`.slice(0, 500)).toMatchObject({
    type: `/docs/errors#${code}`,
    title: errorCodes[code].title,
    status: errorCodes[code].http,
    detail: expect.stringMatching(/\S+ \S+/),
    code,
    request_id: answer.headers.get('x-request-id'),
  });
  expect(answer.status).toBe(errorCodes[code].http);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
}

/** Asserts that an answer refuses exactly these fields, each with a message. */
export function expectInvalid(answer: Answer, ...fields: string[]): void {
  expectProblem(answer, 'VALIDATION_FAILED');
  const errors = answer.body.errors as { field: string; message: string }[];
  expect(errors.map(({ field }) => field).toSorted()).toEqual(fields.toSorted());
  for (const { field, message } of errors) {
    expect(message).toMatch(/^(must|is|would|needs|"|each|should)/);
    expect(answer.body.detail).toContain(field);
  }
}
