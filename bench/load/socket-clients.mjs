// Many Socket.IO clients, spoken by hand over WebSockets: the real client parses every packet and would be what is measured.
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { until } from '../lib/processes.mjs';
import { serve } from '../lib/remote.mjs';
import { percentile } from '../lib/statistics.mjs';

const namespace = '/tasks';
const clients = [];
let latencies = [];

serve({
  /** Connects and subscribes `count` clients, spread over `urls`. */
  async connect({ urls, count }) {
    for (let begun = 0; begun < count; begun += 50) {
      const batch = Array.from({ length: Math.min(50, count - begun) }, (_, index) => connect(urls[(begun + index) % urls.length]));
      clients.push(...(await Promise.all(batch)));
    }
  },

  /** Creates `rate` tasks a second at `url` and answers how long their events took to all clients (ms), and how many of them came. */
  async createAndWatch({ url, rate, seconds }) {
    latencies = [];
    const events = Math.round(rate * seconds);
    const begun = performance.now();
    const requests = [];
    for (let sent = 0; sent < events; sent++) {
      await wait(Math.max(0, begun + (sent * 1_000) / rate - performance.now()));
      requests.push(create(url));
    }
    await Promise.all(requests);
    const expected = events * clients.length;
    await until(() => latencies.length >= expected, { seconds: 10, what: 'all events' }).catch(() => undefined);
    return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), expected, delivered: latencies.length };
  },
});

function connect(url) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('The server closed a connection.')));
    socket.on('message', (/** @type {Buffer} */ data) => {
      const text = data.toString();
      if (text === '2') socket.send('3');
      else if (text.startsWith('0')) socket.send(`40${namespace},`);
      else if (text.startsWith(`40${namespace}`)) socket.send(`42${namespace},0["subscribe",{}]`);
      else if (text.startsWith(`43${namespace},0`)) resolve(socket);
      else if (text.startsWith(`42${namespace},["task_created"`)) received(text);
      else if (text.startsWith(`44${namespace}`)) reject(new Error(`The namespace refused a client: ${text}`));
    });
  });
}

/** `at` is the database's time when the transaction began that wrote the event, so the commit is part of what is measured. */
function received(text) {
  const at = /"at":"([^"]+)"/.exec(text)[1];
  latencies.push(performance.timeOrigin + performance.now() - Date.parse(at));
}

async function create(url) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/tasks`, { method: 'POST', headers, body: JSON.stringify({ name: 'realtime' }) });
  if (response.status !== 201) throw new Error(`POST /tasks answered ${response.status}.`);
  await response.arrayBuffer();
}
