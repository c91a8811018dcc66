import { withBody } from '../../transport/openapi.js';
import { documentedRoutes } from '../../transport/documented-routes.js';
import { RoutingView, WayView } from './routes.views.js';

const { route, ifMatch } = documentedRoutes('the routes');

/** What `/docs` and `openapi.json` say of each route of `RoutesController`. */
export const Documented = {
  get: route({
    summary: 'Read the routes of alerts',
    description: 'Who is told of which alerts, how they are grouped, and which alerts keep others from being told.',
    view: RoutingView,
    tagged: true,
    problems: [],
  }),
  put: route({
    summary: 'Replace the routes of alerts',
    description: 'All of them; what is left out gets its default. Groups go on under the name of their route.',
    view: RoutingView,
    tagged: true,
    problems: [...withBody, 'VERSION_MISMATCH'],
    extra: [ifMatch],
  }),
  test: route({
    summary: 'Try the routes of alerts',
    description: 'Which routes and channels would take such an alert, in which group, and what would mute it now. Nothing is raised.',
    view: WayView,
    problems: withBody,
  }),
};
