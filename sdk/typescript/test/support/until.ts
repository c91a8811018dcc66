/** Waits until `probe` gives something; the limit is generous, as it only ends a test that has failed anyway. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`Waited ${limitMs / 1_000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** A promise that the test resolves. */
export class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}
