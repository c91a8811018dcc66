import { invalid } from '../../errors/coded-error.js';
import { validateInput } from '../../input/validate.js';
import { destinationFields, secretFields, sentSecrets, type Channel, type ChannelKind } from './channel.js';
import { specDtos } from './channel-specs.dto.js';

/** A channel as clients see it: instead of each secret, whether there is one. */
export interface ChannelView extends Omit<Channel, 'tenant_id' | 'spec'> {
  spec: Record<string, unknown>;
}

type Spec = Record<string, unknown>;

export function toChannelView(stored: Channel): ChannelView {
  const { tenant_id: _tenant, ...channel } = stored;
  const secret = secretFields[channel.kind];
  const shown = Object.entries(channel.spec).filter(([key]) => !secret.includes(key));
  const marks = secret.map((key) => [`has_${key}`, key in channel.spec] as const);
  return { ...channel, spec: { ...Object.fromEntries(shown), ...Object.fromEntries(marks) } };
}

/** The valid spec of a kind; throws `VALIDATION_FAILED` naming `spec.…`. */
export function checkSpec(kind: ChannelKind, spec: Spec): object {
  if (kind === 'socket') {
    const [key] = Object.keys(spec);
    if (key !== undefined) throw invalid([{ field: `spec.${key}`, message: 'is not a known field; none are accepted here' }]);
    return {};
  }
  return { ...validateInput(specDtos[kind], spec, 'spec') };
}

/** The spec after a change: null takes a field away. Whoever leads a channel elsewhere must know what is sent there. */
export function changedSpec({ kind, spec: before }: Pick<Channel, 'kind' | 'spec'>, change: Spec): object {
  const old = before as Spec;
  const moved = destinationFields[kind].some((field) => field in change && change[field] !== old[field]);
  const missing = moved ? sentSecrets[kind].filter((field) => field in old && !(field in change)) : [];
  if (missing.length) {
    const where = destinationFields[kind].join(' or ');
    throw invalid(missing.map((field) => ({ field: `spec.${field}`, message: `must be given again, or null, when ${where} changes` })));
  }
  const merged = Object.entries({ ...old, ...change }).filter(([, value]) => value !== null);
  return checkSpec(kind, Object.fromEntries(merged));
}
