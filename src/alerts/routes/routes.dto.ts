import { Choice, Flag, isLabelKey, Item, Items, Labels, Name, namePattern, Text, Texts, Whole } from '../../input/fields.js';
import { severities, type Severity } from '../alert.js';
import { defaultRoute, eachAlone, type EscalationStep, type Inhibition, type Route, type RouteSettings } from '../flow/routing.js';
import { MatcherDto, Matchers } from '../matcher.dto.js';

const maxChannels = 50;
const isName = (value: string) => namePattern.test(value);

class EscalationStepDto implements EscalationStep {
  @Whole({ min: 1, max: 2_592_000, description: 'Seconds since the alert began.', example: 900 })
  after_seconds: number;

  @Texts({ min: 1, max: maxChannels, description: 'Who is told then.', example: ['pager'], accepts: 'names of channels', test: isName })
  channels: string[];
}

const channelsField = {
  optional: true,
  nullable: true,
  max: maxChannels,
  default: null,
  description: 'Names of the channels that are told. Null: every one that is on.',
  example: ['ops'],
  accepts: 'names of channels',
  test: isName,
};
const groupBy = {
  optional: true,
  max: 20,
  accepts: `keys of labels, or ${eachAlone}`,
  test: (value: string) => value === eachAlone || isLabelKey(value),
};
const groupByText = `Labels whose alerts are told together; \`${eachAlone}\`: each alert alone.`;
const waitField = {
  optional: true,
  min: 0,
  max: 3_600,
  description: 'How long a new group waits for more of the same before it is told.',
};
const intervalField = {
  optional: true,
  min: 1,
  max: 86_400,
  description: 'How long a group that was told waits before it tells what has changed.',
};
const repeatField = {
  optional: true,
  min: 60,
  max: 2_592_000,
  default: 14_400,
  description: 'After how long a group in which nothing changes is told again.',
};
const stepsField = {
  optional: true,
  max: 10,
  default: [],
  description: 'Who else is told of an alert that stays open for so long.',
};

export class DefaultRouteDto implements RouteSettings {
  @Texts(channelsField)
  channels: string[] | null = defaultRoute.channels;

  @Texts({ ...groupBy, default: defaultRoute.group_by, description: groupByText, example: ['alertname'] })
  group_by: string[] = defaultRoute.group_by;

  @Whole({ ...waitField, default: defaultRoute.group_wait_seconds })
  group_wait_seconds: number = defaultRoute.group_wait_seconds;

  @Whole({ ...intervalField, default: defaultRoute.group_interval_seconds })
  group_interval_seconds: number = defaultRoute.group_interval_seconds;

  @Whole(repeatField)
  repeat_interval_seconds: number = 14_400;

  @Items(EscalationStepDto, stepsField)
  escalation: EscalationStepDto[] = [];
}

export class RouteDto implements Route {
  @Name({ description: 'The same for as long as it is the same route: groups are known by it.', example: 'database' })
  name: string;

  @Matchers({ optional: true, default: [], description: 'Which alerts take it: those that all of these match. None: every one.' })
  matchers: MatcherDto[] = [];

  @Flag({ optional: true, default: false, description: 'Whether alerts that take it go on to the routes after it.' })
  continue: boolean = false;

  @Texts(channelsField)
  channels: string[] | null = null;

  @Texts({ ...groupBy, default: ['alertname'], description: groupByText, example: ['alertname', 'host'] })
  group_by: string[] = ['alertname'];

  @Whole({ ...waitField, default: 30 })
  group_wait_seconds: number = 30;

  @Whole({ ...intervalField, default: 300 })
  group_interval_seconds: number = 300;

  @Whole(repeatField)
  repeat_interval_seconds: number = 14_400;

  @Items(EscalationStepDto, stepsField)
  escalation: EscalationStepDto[] = [];
}

export class InhibitionDto implements Inhibition {
  @Name({ description: 'What people call it.', example: 'host-down' })
  name: string;

  // Without matchers everything would inhibit, or be inhibited.
  @Matchers({ min: 1, description: 'Active alerts that inhibit.' })
  source_matchers: MatcherDto[];

  @Matchers({ min: 1, description: 'Alerts that are not told of meanwhile.' })
  target_matchers: MatcherDto[];

  @Texts({
    optional: true,
    max: 20,
    default: [],
    description: 'Labels that must have the same value on both sides; absent is empty.',
    example: ['host'],
    accepts: 'keys of labels',
    test: isLabelKey,
  })
  equal: string[] = [];
}

/** All of it: what is left out gets its default. */
export class PutRoutesDto {
  @Items(RouteDto, { optional: true, max: 200, default: [], description: 'In order: the first that matches takes the alert.' })
  routes: RouteDto[] = [];

  @Item(DefaultRouteDto, { optional: true, description: 'Of what no route takes.' })
  default_route: DefaultRouteDto = new DefaultRouteDto();

  @Items(InhibitionDto, { optional: true, max: 100, default: [], description: 'Which alerts keep others from being told.' })
  inhibitions: InhibitionDto[] = [];
}

/** An alert that is not there. */
export class TestRoutesDto {
  @Text({ max: 255, optional: true, default: 'Test', description: 'Its name.', example: 'BackupFailed' })
  name: string = 'Test';

  @Choice({ values: severities, optional: true, default: 'warning', description: 'Its severity.', example: 'critical' })
  severity: Severity = 'warning';

  @Name({ optional: true, default: 'api', description: 'Its source.', example: 'backup' })
  source: string = 'api';

  @Labels({ optional: true, default: {}, description: 'Its labels.', example: { host: 'db-1' } })
  labels: Record<string, string> = {};
}

/* Socket.IO payloads and gRPC messages. */

export class PutRoutesMessage extends PutRoutesDto {
  @Whole({ min: 0, max: Number.MAX_SAFE_INTEGER, optional: true, description: 'As the REST header If-Match.' })
  version?: number;
}
