import { fileURLToPath } from 'node:url';
import { openRemote } from '../lib/remote.mjs';

const program = fileURLToPath(new URL('http-load.mjs', import.meta.url));

/** `request(options)`: one run of autocannon; throws unless every request was answered with 2xx. */
export function openHttpLoad() {
  const { run, kill } = openRemote(program, 'autocannon');
  return {
    async request(options) {
      const result = await run('request', options);
      if (result.failures) throw new Error(`${result.failures} of ${result.answered} requests to ${options.url} failed.`);
      return result;
    },
    close: kill,
  };
}
