import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root, SetupError } from '../setup.mjs';

const answerWithinMs = 30_000;

/** A connection to `/tasks` that may create tasks: without a token where that is enough, else with the admin token. */
export async function openDoor(url) {
  const { io } = await import('socket.io-client');
  const tokens = [undefined, ...adminTokens()];
  let refusal = '';
  for (const token of tokens) {
    const socket = io(`${url}/tasks`, { auth: token === undefined ? {} : { token }, transports: ['websocket'], forceNew: true });
    try {
      refusal = await refusalOf(socket);
      if (!refusal) return new Door(socket);
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.close();
  }
  throw new SetupError(
    `The server at ${url} lets nobody create tasks here: ${refusal}\n` +
      'Set ADMIN_TOKEN to its admin token, or DATA_DIR to its data directory, and run the demo again.',
  );
}

/** Candidates, best first: what the environment says, and what a server in this directory has generated. */
function adminTokens() {
  const file = process.env.ADMIN_TOKEN_FILE || join(resolve(root, process.env.DATA_DIR || 'data'), 'admin-token');
  return [process.env.ADMIN_TOKEN, existsSync(file) && readFileSync(file, 'utf8').trim()].filter(Boolean);
}

/** Why this caller may not create tasks, or an empty text. */
async function refusalOf(socket) {
  const error = await new Promise((resolve) => {
    socket.once('connect', () => resolve());
    socket.once('connect_error', resolve);
  });
  if (error) {
    if (error.data?.code === 'UNAUTHENTICATED') return error.message;
    throw new SetupError(`The server did not accept the connection: ${error.message}.`);
  }
  // Roles are looked at before payloads: who may create is told that this is no list of tasks.
  const answer = await socket.timeout(answerWithinMs).emitWithAck('create_bulk', { tasks: [] });
  return answer.error?.code === 'FORBIDDEN' ? answer.error.detail : '';
}

class Door {
  #socket;
  #filters;
  #seq;
  #reconnect = () => void this.#resume();

  constructor(socket) {
    this.#socket = socket;
  }

  /** What `message` was answered; an error of the server ends the demo with its sentence. */
  async ask(message, payload) {
    const answer = await this.#socket.timeout(answerWithinMs).emitWithAck(message, payload);
    if (answer.error) throw new SetupError(`The server refused ${message}: ${answer.error.detail}`);
    return answer;
  }

  onEvent(listener) {
    this.#socket.onAny((name, event) => {
      if (typeof event?.seq !== 'number') return;
      this.#seq = event.seq;
      listener(event);
    });
  }

  async subscribe(filters) {
    this.#filters = filters;
    ({ seq: this.#seq } = await this.ask('subscribe', filters));
    this.#socket.on('connect', this.#reconnect);
  }

  close() {
    this.#socket.close();
  }

  /** After a cut nothing is lost: the server replays what came after the last seq. */
  async #resume() {
    await this.ask('subscribe', { ...this.#filters, since: this.#seq });
  }
}
