import type { Command } from 'commander';
import { segment } from '../api.js';
import { command, paged, runs } from '../command.js';
import { printList } from '../list.js';

const id = '01a203f4-d9ad-763d-a518-7b95654d40e8';

export function addAlertChannels(alerts: Command): void {
  const channels = command(alerts, 'channels', 'Who is told of alerts', ['alerts channels list', `alerts channels test ${id}`]);
  runs(paged(command(channels, 'list', 'List channels', ['alerts channels list'])), (context, given) =>
    printList(context, '/alerts/channels', given, ['id', 'name', 'kind', 'enabled', 'updated_at']),
  );
  const test = command(channels, 'test <id>', 'Send a test notification', [`alerts channels test ${id}`]);
  // Channels may take 30 s to answer.
  runs(test, async ({ api, print }, _given, id) => {
    print.item(await api.post(`/alerts/channels/${segment(id)}/test`, undefined, { waitSeconds: 60 }));
  });
}
