// How soon an alert that is raised is told: by a webhook, and to a Socket.IO client. With and without many others that are active.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { until } from '../lib/processes.mjs';
import { percentile } from '../lib/statistics.mjs';
import { startArkitect } from '../peers/services.mjs';

export const sizes = {
  full: { rate: 20, seconds: 15, many: 1_000 },
  quick: { rate: 10, seconds: 1, many: 50 },
};

const base = 'none';
const measure = (way, share) => ({ suite: 'alerts', name: `raised to ${way}, ${share}`, unit: 'ms', better: 'less', base });

/** Creates as many as the server takes at once. */
const batch = 50;

export async function run({ servers, size, results, eachSystem, directory }) {
  const server = await servers.get('postgres');
  const states = [
    { name: base, label: 'no other alert', others: 0 },
    { name: 'many', label: `${size.many} others active`, others: size.many },
  ];
  await eachSystem('alerts', states, async (state) => {
    const connection = await server.create();
    const service = await startArkitect(connection, directory, { HTTP_ALLOW_HOSTS: '127.0.0.1' });
    const heard = new Heard();
    try {
      await heard.open(service.url);
      await post(service.url, '/alerts/channels', { name: 'bench', kind: 'webhook', spec: { url: heard.hook } });
      for (let begun = 0; begun < state.others; begun += batch) {
        const names = Array.from({ length: Math.min(batch, state.others - begun) }, (_, index) => `other-${begun + index}`);
        await Promise.all(names.map((name) => post(service.url, '/alerts', { name })));
      }
      await heard.all(state.others);
      heard.forget();
      const count = size.rate * size.seconds;
      const begun = performance.now();
      const raised = [];
      for (let sent = 0; sent < count; sent++) {
        await wait(Math.max(0, begun + (sent * 1_000) / size.rate - performance.now()));
        heard.raising(`timed-${sent}`);
        raised.push(post(service.url, '/alerts', { name: `timed-${sent}` }));
      }
      await Promise.all(raised);
      await heard.all(count);
      for (const [way, latencies] of [
        ['webhook', heard.webhook],
        ['Socket.IO', heard.socket],
      ]) {
        results.add(measure(way, 'p50'), state, percentile(latencies, 0.5));
        results.add(measure(way, 'p99'), state, percentile(latencies, 0.99));
      }
    } finally {
      heard.close();
      await service.stop();
      await server.drop(connection);
    }
  });
}

/** What came by webhook and by Socket.IO, and how long after its request was sent (ms). */
class Heard {
  webhook = [];
  socket = [];
  #sentAt = new Map();
  #server;
  #socket;

  async open(url) {
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        for (const { name } of JSON.parse(body).alerts) this.#heard(this.webhook, name);
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.hook = `http://127.0.0.1:${this.#server.address().port}/`;
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false });
    await new Promise((resolve, reject) => {
      this.#socket.on('error', reject);
      this.#socket.on('message', (/** @type {Buffer} */ data) => {
        const text = data.toString();
        if (text === '2') this.#socket.send('3');
        else if (text.startsWith('0')) this.#socket.send('40/alerts,');
        else if (text.startsWith('40/alerts')) this.#socket.send('42/alerts,0["subscribe",{}]');
        else if (text.startsWith('43/alerts,0')) resolve();
        else if (text.startsWith('42/alerts,["alert_created"')) this.#heard(this.socket, /"name":"([^"]+)"/.exec(text)[1]);
        else if (text.startsWith('44/alerts')) reject(new Error(`The namespace refused a client: ${text}`));
      });
    });
  }

  raising(name) {
    this.#sentAt.set(name, performance.now());
  }

  forget() {
    this.webhook = [];
    this.socket = [];
  }

  all(count) {
    return until(() => this.webhook.length >= count && this.socket.length >= count, { seconds: 60, what: 'all alerts to be told' });
  }

  close() {
    this.#socket?.terminate();
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  #heard(latencies, name) {
    latencies.push(performance.now() - (this.#sentAt.get(name) ?? 0));
  }
}

async function post(url, path, body) {
  const answer = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`POST ${path} was answered with ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}
