import { expect, test } from 'vitest';
import { Batcher } from './batcher.js';

/** A statement that the test ends by hand. */
function controlled<Item>() {
  const statements: { items: Item[]; end: PromiseWithResolvers<void> }[] = [];
  const run = async (items: Item[]) => {
    const end = Promise.withResolvers<void>();
    statements.push({ items, end });
    await end.promise;
    return items.map((item) => `done ${String(item)}`);
  };
  return { statements, run };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('calls of one turn become one statement, and each gets its own result', async () => {
  const { statements, run } = controlled<number>();
  const batcher = new Batcher(run);
  const answers = Promise.all([1, 2, 3].map((item) => batcher.add(item)));
  await turn();
  expect(statements.map(({ items }) => items)).toEqual([[1, 2, 3]]);
  statements[0]!.end.resolve();
  expect(await answers).toEqual(['done 1', 'done 2', 'done 3']);
});

test('nobody is answered before the statement has ended', async () => {
  const { statements, run } = controlled<number>();
  let answered = false;
  const answer = new Batcher(run).add(1).then(() => (answered = true));
  await turn();
  expect(answered).toBe(false);
  statements[0]!.end.resolve();
  await answer;
});

test('what arrives while a statement runs gathers for the next', async () => {
  const { statements, run } = controlled<number>();
  const batcher = new Batcher(run);
  const answers: Promise<string>[] = [];
  for (const item of [1, 2, 3]) {
    answers.push(batcher.add(item));
    await turn();
  }
  expect(statements.map(({ items }) => items)).toEqual([[1]]);
  statements[0]!.end.resolve();
  await answers[0];
  await turn();
  expect(statements.map(({ items }) => items)).toEqual([[1], [2, 3]]);
  statements[1]!.end.resolve();
  await Promise.all(answers);
});

test('a full batch does not wait for the statement before it; no more than two run', async () => {
  const { statements, run } = controlled<number>();
  const batcher = new Batcher(run, { maxItems: 2 });
  const answers = [1, 2, 3, 4, 5, 6, 7].map((item) => batcher.add(item));
  await turn();
  await turn();
  await turn();
  expect(statements.map(({ items }) => items)).toEqual([
    [1, 2],
    [3, 4],
  ]);
  statements[0]!.end.resolve();
  await answers[0];
  await turn();
  await turn();
  expect(statements.map(({ items }) => items).slice(2)).toEqual([[5, 6]]);
  for (const { end } of statements) end.resolve();
  await answers[5];
  await turn();
  expect(statements.map(({ items }) => items).slice(3)).toEqual([[7]]);
  statements[3]!.end.resolve();
  await Promise.all(answers);
});

test('items with the same key wait for each other', async () => {
  const { statements, run } = controlled<string>();
  const batcher = new Batcher(run, { maxInFlight: 1, keyOf: (item) => item[0]! });
  const answers = ['a1', 'a2', 'b1', 'a3'].map((item) => batcher.add(item));
  for (let ended = 0; ended < 3; ended++) {
    await turn();
    statements[ended]!.end.resolve();
    await turn();
  }
  expect(statements.map(({ items }) => items)).toEqual([['a1', 'b1'], ['a2'], ['a3']]);
  await Promise.all(answers);
});

test('a bad row fails its caller alone; any other failure is everybody’s', async () => {
  const refusal = (code: string) => Object.assign(new Error(code), { code, severity: 'ERROR' });
  const batcher = new Batcher(async (items: number[]) => {
    if (items.includes(13)) throw refusal('23514');
    if (items.includes(99)) throw refusal('57P01');
    return items;
  });
  const bad = await Promise.allSettled([1, 13, 2].map((item) => batcher.add(item)));
  expect(bad.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const cut = await Promise.allSettled([1, 99, 2].map((item) => batcher.add(item)));
  expect(cut.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});
