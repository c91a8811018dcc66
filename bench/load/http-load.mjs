// autocannon in a process of its own, so that making the load does not take the time of what measures or answers.
// autocannon rather than a loop over undici: its histograms, its correction for coordinated omission at a fixed rate, and its
// lean client, which on a small machine leaves the core to the server, are what we would have to write.
import autocannon from 'autocannon';
import { serve } from '../lib/remote.mjs';

serve({
  async request(options) {
    const { requests, duration, latency, non2xx, errors } = await autocannon(options);
    return { answered: requests.total, seconds: duration, p50: latency.p50, p99: latency.p99, failures: non2xx + errors };
  },
});
