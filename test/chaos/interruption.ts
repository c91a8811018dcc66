/** Rejects when somebody stops the run, so that it cleans up behind itself. */
export function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => reject(new Error(`Interrupted by ${signal}.`)));
  });
}
