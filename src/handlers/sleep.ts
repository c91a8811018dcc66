import { setTimeout as wait } from 'node:timers/promises';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsNumber, Max, Min } from 'class-validator';
import { TaskFailure, type Handler, type HandlerContext } from './handler.js';

const maxSeconds = 86_400;
const minStepMilliseconds = 250;

export class SleepParameters {
  @ApiProperty({ description: 'How long to wait, in seconds; decimals are fine.', minimum: 0, maximum: maxSeconds, example: 2.5 })
  @IsNumber({}, { message: `must be a number of seconds from 0 to ${maxSeconds}` })
  @Min(0)
  @Max(maxSeconds)
  seconds: number;

  @ApiPropertyOptional({
    description: 'Fail at the end with SLEEP_FAILED (retryable), to see how failures look.',
    default: false,
    example: false,
  })
  @IsBoolean({ message: 'must be true or false' })
  fail: boolean = false;
}

export function sleep(): Handler<SleepParameters> {
  return {
    type: 'sleep',
    description: 'Waits for a number of seconds, reporting progress; for trying things out.',
    parameters: SleepParameters,
    run,
  };
}

async function run({ task, signal, progress }: HandlerContext<SleepParameters>): Promise<{ slept_seconds: number }> {
  const total = task.parameters.seconds * 1000;
  const step = Math.max(total / 100, minStepMilliseconds);
  const start = performance.now();
  let elapsed = 0;
  while (elapsed < total) {
    await waitOrAbort(Math.min(step, total - elapsed), signal);
    elapsed = performance.now() - start;
    progress(Math.min(100, (elapsed / total) * 100));
  }
  signal.throwIfAborted();
  if (task.parameters.fail) {
    throw new TaskFailure('SLEEP_FAILED', `Slept for ${task.parameters.seconds} seconds and then failed, as its parameters ask.`, {
      retryable: true,
    });
  }
  return { slept_seconds: Math.round(elapsed) / 1000 };
}

async function waitOrAbort(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    // Timers count whole milliseconds; rounding up keeps the last wait from spinning.
    await wait(Math.ceil(milliseconds), undefined, { signal });
  } catch (error) {
    // The runner tells cancel from timeout by the signal's own reason, which the timer's AbortError hides.
    signal.throwIfAborted();
    throw error;
  }
}
