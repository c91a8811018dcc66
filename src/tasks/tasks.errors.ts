import { CodedError } from '../errors/coded-error.js';
import type { Task } from './task.js';

export function taskNotFound(id: string): CodedError {
  return new CodedError('NOT_FOUND', `There is no task ${id}. It may have been deleted, or belong to another tenant.`);
}

/** `allowed` completes "A task can be … only while it is". */
export function wrongState(task: Task, verb: string, allowed: string): CodedError {
  return new CodedError('CONFLICT', `Task ${task.id} is ${task.status}; a task can be ${verb} only while it is ${allowed}.`);
}

export function versionMismatch(task: Task, expected: number): CodedError {
  return new CodedError(
    'VERSION_MISMATCH',
    `Task ${task.id} is at version ${task.version}, not ${expected}. Read it again and repeat your change on what you find.`,
  );
}
