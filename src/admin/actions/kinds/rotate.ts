import { Injectable } from '@nestjs/common';
import { AdminTokens } from '../../../auth/admin-tokens.js';
import { action, type Action, type Outcome, type RunContext } from '../action.js';
import { RotateDto } from '../parameters.dto.js';

/** Puts another root token in the place of those that hold. */
@Injectable()
export class RotateAction {
  constructor(private readonly tokens: AdminTokens) {}

  readonly actions: Action[] = [
    action({
      name: 'rotate_admin_token',
      description:
        'Makes a new root token, which this answer shows once, in `shown_once`, and nothing keeps. Those that hold now go on for overlap_seconds and are then refused ' +
        'on every replica, also when an environment still holds them. Where the server had generated its token, its file holds the new one.',
      danger: 'disruptive',
      role: 'root',
      parameters: RotateDto,
      scope: 'here',
      job: false,
      preview: async ({ overlap_seconds }) => ({ overlap_seconds, ends_at: endOf(new Date().toISOString(), overlap_seconds) }),
      run: (parameters, context) => this.rotate(parameters, context),
    }),
  ];

  private async rotate({ overlap_seconds }: RotateDto, { by }: RunContext): Promise<Outcome> {
    const { token, valid_from, ending, file_replaced } = await this.tokens.rotate(overlap_seconds, by.name);
    const result = { valid_from, ending_tokens: ending, ends_at: endOf(valid_from, overlap_seconds), file_replaced };
    return { result: { ...result, token: 'It was shown once, in the answer to the call that made it.' }, once: { token } };
  }
}

function endOf(from: string, seconds: number): string {
  return new Date(Date.parse(from) + seconds * 1_000).toISOString();
}
