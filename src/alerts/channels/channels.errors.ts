import { CodedError } from '../../errors/coded-error.js';
import type { Channel } from './channel.js';

export function channelNotFound(id: string): CodedError {
  return new CodedError('NOT_FOUND', `There is no alert channel ${id}. It may have been deleted, or belong to another tenant.`);
}

export function channelNameTaken(name: string): CodedError {
  return new CodedError('CONFLICT', `There is an alert channel ${name} already; choose another name, or change that one.`);
}

export function channelVersionMismatch({ id, version }: Channel, expected: number): CodedError {
  return new CodedError(
    'VERSION_MISMATCH',
    `Alert channel ${id} is at version ${version}, not ${expected}. Read it again and repeat your change on what you find.`,
  );
}
