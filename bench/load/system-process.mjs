// A system in a process of its own, so that no system warms up, or fills the memory, for another. See open-system.mjs.
import { serve } from '../lib/remote.mjs';
import * as loads from './load.mjs';

const folder = new URL('../systems/', import.meta.url);
let system;

const measured = Object.entries(loads).map(([name, load]) => [name, (options) => load(system, options)]);

serve({
  ...Object.fromEntries(measured),
  async start({ module, connection }) {
    const { start } = await import(new URL(module, folder));
    system = await start(connection);
  },
  stop: () => system.stop(),
});
