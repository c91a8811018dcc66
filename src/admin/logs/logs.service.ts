import { Injectable } from '@nestjs/common';
import { CodedError, invalid } from '../../errors/coded-error.js';
import { pageOf, type Page } from '../../input/page.js';
import { levelNames, logLevels, type LogLevel } from '../../logging/log-line.js';
import type { ListLogsDto, LogFilterDto } from './logs.dto.js';
import { LogWatch, type LogStart } from './log-watch.js';
import { LogsStore, type LogFilter, type StoredLine } from './logs.store.js';

/** Each of them reads the database when lines are stored. */
const maxFollowers = 100;

/** A line as doors answer it. */
export interface LogLineAnswer extends Omit<StoredLine, 'level'> {
  level: LogLevel;
}

/** First where it begins, then lines. `start` comes again after a reset. */
export type FollowedLines = { start: LogStart } | { lines: LogLineAnswer[] };

/** Recent lines of the log of the whole cluster. */
@Injectable()
export class LogsService {
  constructor(
    private readonly store: LogsStore,
    private readonly logWatch: LogWatch,
  ) {}

  async list({ limit, cursor, ...filters }: ListLogsDto): Promise<Page<LogLineAnswer, number>> {
    const lines = await this.store.list(filterOf(filters), cursor, limit);
    return pageOf(lines.map(answerOf), limit, ({ id }) => id);
  }

  /** Throws for filters that are not acceptable before anything is read. */
  follow(filters: LogFilterDto, after: number | undefined): (signal: AbortSignal) => AsyncGenerator<FollowedLines> {
    const filter = filterOf(filters);
    const { logWatch } = this;
    if (logWatch.readers >= maxFollowers)
      throw new CodedError(
        'UNAVAILABLE',
        `This replica has ${maxFollowers} followers of the log already. Follow on another one, or end some.`,
      );
    return async function* (signal) {
      for await (const item of logWatch.watch(filter, after, signal)) yield 'start' in item ? item : { lines: item.lines.map(answerOf) };
    };
  }
}

function filterOf({ level, since, until, ...rest }: LogFilterDto): LogFilter {
  if (since !== undefined && until !== undefined && Date.parse(since) >= Date.parse(until))
    throw invalid([{ field: 'until', message: 'must be later than since' }]);
  return { ...rest, since, until, level: level && logLevels[level] };
}

/** Levels of their own making are between ours. */
function answerOf({ level, ...line }: StoredLine): LogLineAnswer {
  return { ...line, level: levelNames.findLast((name) => logLevels[name] <= level) ?? 'trace' };
}
