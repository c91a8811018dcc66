import { parseArgs } from 'node:util';

export interface Options {
  minutes: number;
  /** Of the measured capacity. */
  share: number;
  /** On the embedded database instead of Debian's PostgreSQL. */
  embedded: boolean;
}

export const usage = `npm run soak -- [--minutes 30] [--share 0.5] [--embedded]

  --minutes   how long the load lasts. Default: 30. Below 10, only growth to a multiple fails the run.
  --share     of the capacity that is measured first, above 0 and up to 0.9. Default: 0.5.
  --embedded  on the embedded database instead of Debian's PostgreSQL.`;

/** Throws a sentence about the first argument that is wrong. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '30' },
      share: { type: 'string', default: '0.5' },
      embedded: { type: 'boolean', default: false },
    },
  });
  const options = { minutes: Number(values.minutes), share: Number(values.share), embedded: values.embedded };
  if (!(options.minutes >= 0.5 && options.minutes <= 24 * 60)) throw new Error('--minutes must be a number from 0.5 to 1440.');
  if (!(options.share > 0 && options.share <= 0.9)) throw new Error('--share must be a number above 0 and up to 0.9.');
  return options;
}
