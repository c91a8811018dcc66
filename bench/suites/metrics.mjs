// What it costs to measure: the same service with its metrics on and off.
import { openHttpLoad } from '../load/open-http-load.mjs';
import { startArkitect } from '../peers/services.mjs';
import { measureRoutes, sizes as serviceSizes } from './service.mjs';

export const sizes = serviceSizes;

const base = 'off';
const measure = (name, unit) => ({ suite: 'metrics', name, unit, base });
const measures = {
  create: measure('POST /tasks, 64 connections', 'req/s'),
  get: measure('GET /tasks/{id}', 'req/s'),
};

const states = [
  { name: base, label: 'metrics off', enabled: 'false' },
  { name: 'on', label: 'metrics on', enabled: 'true' },
];

export async function run({ servers, size, results, eachSystem, directory }) {
  const server = await servers.get('postgres');
  await eachSystem('metrics', states, async (state) => {
    const connection = await server.create();
    const load = openHttpLoad();
    const service = await startArkitect(connection, directory, { METRICS_ENABLED: state.enabled });
    try {
      const { create, get } = await measureRoutes(service, load, size);
      results.add(measures.create, state, create);
      results.add(measures.get, state, get);
    } finally {
      await load.close();
      await service.stop();
      await server.drop(connection);
    }
  });
}
