// SPDX-License-Identifier: Apache-2.0
// Stands before a relay.
import http from 'node:http';

/** Counts packets, keeps back what `holds` says, and answers nobody while it is down. */
export class RelayGate {
  packets = new Set();
  puts = 0;
  holds = () => false;
  #isDown = false;
  #held = [];

  constructor(behind) {
    this.behind = new URL(behind);
    this.server = http.createServer((request, response) => this.#serve(request, response));
    this.server.on('connection', (socket) => { if (this.#isDown) socket.destroy(); });
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  async #serve(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    if (request.method === 'PUT') {
      ++this.puts;
      this.packets.add(body.toString('hex'));
    }
    if (this.holds(request.method, 'before')) await new Promise((go) => this.#held.push(go));
    const { status, headers, answer } = await this.#forward(request, body);
    if (this.holds(request.method, 'after')) await new Promise((go) => this.#held.push(go));
    response.writeHead(status, headers);
    response.end(answer);
  }

  #forward({ method, url, headers }, body) {
    return new Promise((resolve) => {
      const forwarded = http.request({ host: this.behind.hostname, port: this.behind.port, method,
        path: url, headers: { ...headers, host: this.behind.host } }, async (response) => {
        const parts = [];
        for await (const part of response) parts.push(part);
        resolve({ status: response.statusCode, headers: response.headers,
          answer: Buffer.concat(parts) });
      });
      forwarded.on('error', () => resolve({ status: 502, headers: {}, answer: '' }));
      forwarded.end(body);
    });
  }

  get held() { return this.#held.length; }

  release() {
    this.holds = () => false;
    for (const go of this.#held.splice(0)) go();
  }

  takeDown() {
    this.#isDown = true;
    this.server.closeAllConnections();
  }

  bringUp() {
    this.#isDown = false;
  }

  forget() {
    this.packets.clear();
    this.puts = 0;
  }

  close() {
    this.release();
    this.server.close();
    this.server.closeAllConnections();
  }
}
