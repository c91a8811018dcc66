import { Checked, Choice, isText, Whole } from '../../input/fields.js';
import { anAlertSample } from './sample.js';
import { emailSecurities, type AlertmanagerSpec, type ChannelKind, type EmailSpec, type SlackSpec, type WebhookSpec } from './channel.js';
import { templateProblem } from './template.js';

/* What the `spec` of each kind of channel takes. */

function urlProblem(value: unknown): string | undefined {
  const url = typeof value === 'string' && value.length <= 2_048 ? URL.parse(value) : null;
  if (!url || !/^https?:$/.test(url.protocol)) return 'must be an http:// or https:// URL of at most 2048 characters';
  return url.username || url.password ? 'must not hold a user name or password; use bearer_token instead' : undefined;
}

/** Printable ASCII, as it goes into a header or an SMTP command. */
function secretProblem(max: number) {
  return (value: unknown) =>
    typeof value === 'string' && value.length <= max && /^[\x21-\x7e]+$/.test(value)
      ? undefined
      : `must be 1 to ${max} printable ASCII characters without spaces`;
}

function passwordProblem(value: unknown): string | undefined {
  return typeof value === 'string' && value.length >= 1 && value.length <= 512 && isText(value)
    ? undefined
    : 'must be text of 1 to 512 characters';
}

const address = /^[^\s@<>(),;:\\"[\]]{1,64}@[A-Za-z0-9.-]{1,255}$/;
const isAddress = (value: unknown): boolean => typeof value === 'string' && address.test(value);

export class WebhookSpecDto implements WebhookSpec {
  @Checked({ description: 'Where to post.', example: 'https://example.com/hook' }, urlProblem)
  url: string;

  @Checked(
    { required: false, writeOnly: true, description: 'Key of the signature. Never shown again.', example: 'a-long-secret' },
    secretProblem(512),
  )
  secret?: string;

  @Checked({ required: false, writeOnly: true, description: 'Sent as Authorization: Bearer. Never shown again.' }, secretProblem(4_096))
  bearer_token?: string;

  @Checked({ required: false, description: 'The body as a Liquid template; without one it is the documented JSON.' }, (value) => {
    if (typeof value !== 'string' || value.length > 16_384) return 'must be text of at most 16384 characters';
    const problem = templateProblem(value, anAlertSample);
    return problem && `must be a Liquid template that can be filled in: ${problem}`;
  })
  template?: string;

  @Checked({ required: false, description: 'Content-Type of a templated body.', default: 'application/json' }, (value) =>
    typeof value === 'string' && /^[a-z]+\/[\w.+-]+(; ?charset=utf-8)?$/i.test(value)
      ? undefined
      : 'must be a media type such as text/plain',
  )
  content_type?: string;
}

export class SlackSpecDto implements SlackSpec {
  @Checked({ writeOnly: true, description: 'The incoming webhook. Whoever has it may post, so it is never shown again.' }, urlProblem)
  url: string;
}

export class AlertmanagerSpecDto implements AlertmanagerSpec {
  @Checked({ description: 'The server, without /api/v2.', example: 'https://alertmanager.example.com' }, urlProblem)
  url: string;

  @Checked({ required: false, writeOnly: true, description: 'Sent as Authorization: Bearer. Never shown again.' }, secretProblem(4_096))
  bearer_token?: string;
}

export class EmailSpecDto implements EmailSpec {
  @Checked({ description: 'The mail server.', example: 'smtp.example.com' }, (value) =>
    typeof value === 'string' && /^[A-Za-z0-9.:-]{1,255}$/.test(value) ? undefined : 'must be a host name or an IP address',
  )
  host: string;

  @Whole({ min: 1, max: 65_535, optional: true, default: 587, description: 'Its port.', example: 587 })
  port: number = 587;

  @Choice({
    values: emailSecurities,
    optional: true,
    default: 'starttls',
    description: '`tls` from the first byte, `starttls` or nothing is sent, or `none`.',
  })
  security: EmailSpec['security'] = 'starttls';

  @Checked({ required: false, description: 'Who logs in.' }, passwordProblem)
  user?: string;

  @Checked({ required: false, writeOnly: true, description: 'Never shown again.' }, passwordProblem)
  password?: string;

  @Checked({ description: 'The sender.', example: 'arkitect@example.com' }, (value) =>
    isAddress(value) ? undefined : 'must be a mail address such as ops@example.com',
  )
  from: string;

  @Checked({ type: [String], description: 'The receivers.', example: ['ops@example.com'] }, (value) =>
    Array.isArray(value) && value.length >= 1 && value.length <= 50 && value.every(isAddress)
      ? undefined
      : 'must be a list of 1 to 50 mail addresses',
  )
  to: string[];
}

export class SocketSpecDto {}

export const specDtos: Record<ChannelKind, new () => object> = {
  socket: SocketSpecDto,
  webhook: WebhookSpecDto,
  slack: SlackSpecDto,
  email: EmailSpecDto,
  alertmanager: AlertmanagerSpecDto,
};
