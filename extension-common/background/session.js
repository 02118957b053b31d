// SPDX-License-Identifier: Apache-2.0
// One connection to the program. While there is none, nothing below `.key` loads: the proxy port
// lives and dies with this session.
import { webextension } from '../lib/webextension.js';
import {
  encodeMessage, hostName, parseCa, parseEvidence, parseHello, parseHttpKeys, parseMessage,
  parseProbe, parseProgress, parseRefusal, slugForm,
} from '../lib/native-protocol.js';

const requestTimeoutMs = 10_000;
const retryFirstMs = 1_000;
const retryLastMs = 20_000;
const requestsMax = 64;

// The browsers' words for why there is no program at the other end.
function slugOfDisconnect(message = '') {
  if (/not found|No such native application/i.test(message)) return 'host.missing';
  if (/forbidden|not allowed/i.test(message)) return 'host.forbidden';
  return 'host.lost';
}

export class Session {
  #handlers;
  #port = null;
  #nextId = 1;
  #requests = new Map();
  #retryMs = retryFirstMs;
  #retry = null;
  #waiting = [];
  #newerCa = null;

  state = 'connecting';  // 'ready', 'lost'
  slug = '';             // why it is lost
  hello = null;

  /**
   * handlers: onOpen(hello), onClose(), onEvidence(evidence, reply), onRefusal(refusal),
   * onHttpKeys(keys), onProbe(probe): a promise of what came of it,
   * onProgress({key, queried, responded, stored}).
   */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  connect() {
    if (this.#port !== null) return;
    clearTimeout(this.#retry);
    this.state = 'connecting';
    const port = webextension.runtime.connectNative(hostName);
    this.#port = port;
    port.onMessage.addListener((message) => this.#onMessage(port, message));
    port.onDisconnect.addListener(() => {
      const { message } = webextension.runtime.lastError ?? port.error ?? {};
      this.#onDisconnect(port, slugOfDisconnect(message));
    });
    const browser = /^moz-/.test(webextension.runtime.getURL('')) ? 'firefox' : 'chromium';
    this.request('hello', { extension: webextension.runtime.getManifest().version, browser })
      .then((body) => this.#onHello(port, body))
      .catch(({ message }) => this.#drop(port,
        message.includes('.') && slugForm.test(message) ? message : 'host.incompatible'));
  }

  /** Resolves to true once the session is ready, to false when it failed or time ran out. */
  whenReady(timeoutMs) {
    if (this.state === 'ready') return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#waiting.push((ready) => {
        clearTimeout(timer);
        resolve(ready);
      });
      this.connect();
    });
  }

  /** Resolves once it is known whether there is a program, at the latest when time runs out. */
  async settled(timeoutMs) {
    if (this.state === 'connecting') await this.whenReady(timeoutMs);
  }

  /** Rejects with a slug, or with what went wrong here. */
  request(op, body, timeoutMs = requestTimeoutMs) {
    if (this.#port === null || this.#requests.size >= requestsMax) {
      return Promise.reject(new Error('host.lost'));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#requests.delete(id);
        reject(new Error('host.lost'));
      }, timeoutMs);
      this.#requests.set(id, { resolve, reject, timer });
      this.#port.postMessage(encodeMessage(id, op, body));
    });
  }

  /** A request whose failure is an answer too: {error, advice, detail, …}. */
  async ask(op, body, timeoutMs) {
    try {
      return await this.request(op, body, timeoutMs);
    } catch (error) {
      return { advice: '', detail: '', ...error.body,
        error: slugForm.test(error.message) ? error.message : 'host.lost' };
    }
  }

  #settle() {
    for (const resolve of this.#waiting.splice(0)) resolve(this.state === 'ready');
  }

  async #onHello(port, body) {
    const hello = parseHello(body);
    this.#newerCa = null;
    await this.#handlers.onOpen(hello);
    if (this.#port !== port) return;
    this.hello = { ...hello, caSha256: this.#newerCa ?? hello.caSha256 };
    this.state = 'ready';
    this.slug = '';
    this.#retryMs = retryFirstMs;
    this.#settle();
    // How a publication goes on; nobody is the worse for missing it.
    await this.ask('subscribe', {});
  }

  #onMessage(port, message) {
    if (this.#port !== port) return;
    try {
      const { id, op, body } = parseMessage(message);
      if (id !== 0) this.#onReply(id, op, body);
      else if (op === 'evidence') this.#onEvidence(body);
      else if (op === 'refused') this.#handlers.onRefusal(parseRefusal(body));
      else if (op === 'http_keys') this.#handlers.onHttpKeys(parseHttpKeys(body));
      else if (op === 'ca') this.#onCa(parseCa(body));
      else if (op === 'probe') this.#onProbe(port, parseProbe(body));
      else if (op === 'progress') this.#handlers.onProgress(parseProgress(body));
    } catch (error) {
      console.warn('dotkey: dropped a message of the program:', error.message);
    }
  }

  #onReply(id, op, body) {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    this.#requests.delete(id);
    clearTimeout(request.timer);
    if (op === 'error') request.reject(Object.assign(new Error(String(body.error)), { body }));
    else request.resolve(body);
  }

  #onCa(caSha256) {
    // While the gate opens there is no hello yet to change.
    this.#newerCa = caSha256;
    if (this.hello !== null) this.hello = { ...this.hello, caSha256 };
  }

  async #onProbe(port, probe) {
    const outcome = await this.#handlers.onProbe(probe);
    if (this.#port === port) port.postMessage(encodeMessage(0, 'probed', outcome));
  }

  #onEvidence(body) {
    const reply = (allow, slug) => {
      const verdict = { request_id: body.request_id, allow, slug };
      this.#port?.postMessage(encodeMessage(0, 'verdict', verdict));
    };
    let evidence;
    try {
      evidence = parseEvidence(body);
    } catch {
      const slug = 'evidence.malformed';
      reply(false, slug);
      // Where it can be told whose evidence it was.
      this.#handlers.onRefusal(parseRefusal({ host: body.host, port: body.port, slug }));
      return;
    }
    this.#handlers.onEvidence(evidence, reply);
  }

  /** Ends the session, if there is one, for a reason that is not the program's. */
  end(slug) {
    this.#drop(this.#port, slug);
  }

  #drop(port, slug) {
    if (port === null || this.#port !== port) return;
    port.disconnect();
    this.#onDisconnect(port, slug);
  }

  #onDisconnect(port, slug) {
    if (this.#port !== port) return;
    this.#port = null;
    this.hello = null;
    this.state = 'lost';
    this.slug = slug;
    for (const { reject, timer } of this.#requests.values()) {
      clearTimeout(timer);
      reject(new Error('host.lost'));
    }
    this.#requests.clear();
    this.#handlers.onClose();
    this.#settle();
    this.#retry = setTimeout(() => this.connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, retryLastMs);
  }
}
