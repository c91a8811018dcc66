import { isIP } from 'node:net';
import { createTransport, type Transporter } from 'nodemailer';
import { resolveChecked } from '../../outbound/guarded-connect.js';
import { DeliveryError, type EmailSpec, type NotificationContent, type Send } from './channel.js';
import { deliveryError, type Reach } from './http-delivery.js';
import { lines, title } from './summary.js';

const stepTimeoutMs = 15_000;

/** By SMTP, one connection a message. */
export function email(reach: Reach): Send<EmailSpec> {
  return async (notification, spec, signal) => {
    const where = `${spec.host}:${spec.port}`;
    try {
      await sendMail(await addressOf(spec, reach), notification.id, notification.content, spec, signal);
    } catch (error) {
      throw smtpError(error as SmtpError, where) ?? deliveryError(error, where, signal);
    }
  };
}

/** The connection goes to the very address that was checked, so a second answer of DNS cannot slip in between. */
async function addressOf({ host, port }: EmailSpec, { guard, lookup }: Reach): Promise<string> {
  if (isIP(host)) {
    guard.check(host, port, host);
    return host;
  }
  return (await resolveChecked(guard, lookup, host, port))[0]!.address;
}

async function sendMail(address: string, id: string, content: NotificationContent, spec: EmailSpec, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const transport = createTransport({
    host: address,
    port: spec.port,
    secure: spec.security === 'tls',
    requireTLS: spec.security === 'starttls',
    ignoreTLS: spec.security === 'none',
    tls: { ...(!isIP(spec.host) && { servername: spec.host }) },
    ...(spec.user !== undefined && { auth: { user: spec.user, pass: spec.password ?? '' } }),
    connectionTimeout: stepTimeoutMs,
    greetingTimeout: stepTimeoutMs,
    socketTimeout: stepTimeoutMs,
    // Nothing of a message may name a file or a URL to be read here.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await aborted(signal, transport.sendMail(messageOf(id, content, spec)), transport);
  } finally {
    transport.close();
  }
}

function messageOf(id: string, content: NotificationContent, { from, to }: EmailSpec) {
  return {
    from,
    to,
    subject: title(content),
    text: `${title(content)}\n\n${lines(content).join('\n\n')}\n`,
    // The same for each attempt: mail programs show a repetition once.
    messageId: `<${id}@arkitect>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Arkitect-Notification-Id': id },
  };
}

async function aborted<T>(signal: AbortSignal, work: Promise<T>, transport: Transporter): Promise<T> {
  let abort: (() => void) | undefined;
  const ended = new Promise<never>((_, reject) => {
    abort = () => {
      transport.close();
      reject(new Error('aborted'));
    };
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, ended]);
  } finally {
    signal.removeEventListener('abort', abort!);
    // The loser of the race has nobody to tell.
    void work.catch(() => undefined);
  }
}

interface SmtpError extends Error {
  code?: string;
  responseCode?: number;
}

/** What the server or nodemailer says, without its text: an answer may quote what was sent. */
function smtpError({ code, responseCode, message }: SmtpError, where: string): DeliveryError | undefined {
  if (code === 'EAUTH' || code === 'ENOAUTH')
    return new DeliveryError('auth', `${where} refused the user or password.`, { retryable: true });
  if (code === 'ETLS') return new DeliveryError('network', `${where} offers no usable TLS.`, { retryable: true });
  if (responseCode === 421 || responseCode === 450 || responseCode === 451 || responseCode === 452) {
    return new DeliveryError('rate_limited', `${where} asks to try later (${responseCode}).`, { retryable: true });
  }
  if (responseCode && responseCode >= 500) {
    return new DeliveryError('client_error', `${where} refused the message (${responseCode}).`, { retryable: false });
  }
  if (responseCode) return new DeliveryError('server_error', `${where} answered ${responseCode}.`, { retryable: true });
  if (code === 'ETIMEDOUT') return new DeliveryError('timeout', `${where} did not answer in time.`, { retryable: true });
  if (code === 'ECONNECTION' || code === 'ESOCKET' || code === 'EPROTOCOL') {
    const refused = message.includes('ECONNREFUSED');
    const why = refused ? 'nothing listens there' : 'the connection failed';
    return new DeliveryError(refused ? 'refused' : 'network', `Mail to ${where} failed: ${why}.`, { retryable: true });
  }
  return undefined;
}
