import type { Command } from 'commander';
import { segment } from '../api.js';
import { command, runs, type Run } from '../command.js';

const id = 'reports@4c1f09d2b7aa';

export function addWorkers(program: Command): void {
  const workers = command(program, 'workers', 'Remote workers', ['workers list', `workers drain ${id}`]);
  runs(
    command(workers, 'list', 'List the workers that are connected', ['workers list', 'workers list --output json']),
    async ({ api, print }) => {
      print.page(await api.page('/workers'), ['id', 'state', 'door', 'in_flight', 'slots', 'types', 'queues', 'last_beat_at']);
    },
  );
  const drain = command(workers, 'drain <id>', 'Give it no more tasks; what runs may finish', [`workers drain ${id}`]);
  runs(drain, act('drain', 'gets no more tasks'));
  const disconnect = command(workers, 'disconnect <id>', 'End its connection; its tasks run elsewhere', [`workers disconnect ${id}`]);
  runs(disconnect, act('disconnect', 'is disconnected'));
}

function act(action: string, done: string): Run {
  return async ({ api, print }, _given, id) => {
    await api.post(`/workers/${segment(id)}/${action}`);
    print.done(`Worker ${id} ${done}.`);
  };
}
