import { documentedRoutes } from '../../transport/documented-routes.js';
import { AdminHealthView, SystemView } from './system.views.js';

const { route } = documentedRoutes('the system', 'admin');

/** What `/docs` and `openapi.json` say of each route of `SystemController`. */
export const Documented = {
  system: route({
    summary: 'Read how the cluster is set up',
    description:
      'Versions, migrations, sizes, the replicas of the cluster with role, version and lag; and process, host, pools and handlers of the replica ' +
      'that answers. Needs a token of an admin.',
    view: SystemView,
    problems: [],
  }),
  health: route({
    summary: 'Read how all that the server needs is doing',
    description:
      'Every dependency of the replica that answers, with the latency of its check and the reason where it is not well. 200 whatever it says; probes ' +
      'ask /health/ready. Needs a token of an admin.',
    view: AdminHealthView,
    problems: [],
  }),
};
