import { MetricName, Time, Whole } from '../input/fields.js';
import { LabelFilter, NumberFromQuery } from '../input/query.js';

/** What of the history is wanted. */
export class HistoryQueryDto {
  @MetricName({ description: 'Which metric; GET /metrics/history/names lists them.', example: 'arkitect_tasks' })
  metric: string;

  @LabelFilter()
  label?: string[];

  @Time({ optional: true, description: 'From this time on. Default: an hour before `to`.', example: '2026-11-26T08:00:00.000Z' })
  from?: string;

  @Time({ optional: true, description: 'Until before this time. Default: now.', example: '2026-11-26T09:00:00.000Z' })
  to?: string;

  @NumberFromQuery()
  @Whole({
    min: 1,
    max: 31_536_000,
    optional: true,
    description: 'Seconds between two points, rounded to a multiple of what is stored (10, 60 or 3,600). Default: some 300 points.',
    example: 60,
  })
  step?: number;
}
