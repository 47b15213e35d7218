// The stream of the node: a board of keyed values, kept the same as the node's. Read by fetch, not
// by EventSource, which tells neither the status (401: no key) nor the comments that show a silent
// connection to be alive: a phone that wakes up holds one that is dead, and says nothing.

import { learnClock } from './text.js';

const SILENCE = 40_000; // ms; the node writes a line each 15 s
const FIRST_WAIT = 500; // ms; doubled up to
const LONGEST_WAIT = 15_000;
const STEADY = 10_000; // ms; a connection that held so long begins the ladder anew
const MOST_LINE = 32 * 1024 * 1024; // characters; the history of 500 masternodes is under 2 MB

// listener: {put(key, value), drop(key), ready(), state(name, {since, retryAt})}; the names are
// connecting, live, lost and no_key.
export class Stream {
  #listener;
  #keys = new Set();
  #seen = null;
  #wait = FIRST_WAIT;
  #timer = 0;
  #watch = 0;
  #abort = null;
  #heard = 0;
  #lostSince = null;

  // A fault of the page is not one of the connection: it is reported, and the stream goes on.
  constructor(listener) {
    this.#listener = Object.fromEntries(
      Object.entries(listener).map(([name, call]) => [
        name,
        (...about) => {
          try {
            call(...about);
          } catch (error) {
            reportError(error);
          }
        },
      ]),
    );
  }

  start() {
    addEventListener('online', () => this.#again());
    addEventListener('pageshow', (event) => event.persisted && this.#again());
    document.addEventListener('visibilitychange', () => document.hidden || this.#again());
    this.#open();
  }

  // Something says that it may be better now: no need to wait for the timer.
  #again() {
    if (this.#timer) {
      this.#open();
    } else if (Date.now() - this.#heard > SILENCE) {
      this.#abort?.abort();
    }
  }

  async #open() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const opened = Date.now();
    this.#heard = opened;
    this.#abort = new AbortController();
    this.#watch = setInterval(() => {
      if (Date.now() - this.#heard > SILENCE) this.#abort.abort();
    }, 1000);
    let status = 0;
    try {
      const answer = await fetch('/api/stream', {
        headers: { Accept: 'text/event-stream' },
        cache: 'no-store',
        signal: this.#abort.signal,
      });
      status = answer.status;
      if (answer.ok) {
        learnClock(answer.headers.get('Date'));
        this.#seen = new Set();
        await this.#read(answer.body.getReader());
      }
    } catch {
      // Every way that a connection ends is told the same: it is not live.
    }
    clearInterval(this.#watch);
    this.#abort.abort();
    this.#lost(status, Date.now() - opened > STEADY);
  }

  #lost(status, steady) {
    this.#lostSince ??= this.#heard;
    if (steady) this.#wait = FIRST_WAIT;
    const wait = status === 401 ? LONGEST_WAIT : this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(LONGEST_WAIT, this.#wait * 2);
    this.#timer = setTimeout(() => this.#open(), wait);
    this.#listener.state(status === 401 ? 'no_key' : 'lost', {
      since: this.#lostSince,
      retryAt: Date.now() + wait,
      status,
    });
  }

  async #read(reader) {
    const decoder = new TextDecoder();
    let rest = '';
    let event = { name: '', data: '' };
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#heard = Date.now();
      rest += decoder.decode(value, { stream: true });
      if (rest.length > MOST_LINE) throw new Error('a line without end');
      const lines = rest.split('\n');
      rest = lines.pop();
      for (const raw of lines) {
        const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
        if (line === '') {
          this.#take(event);
          event = { name: '', data: '' };
        } else if (line.startsWith('event:')) {
          event.name = line.slice(6).trim();
        } else if (line.startsWith('data:')) {
          event.data += line.slice(5);
        }
      }
    }
  }

  #take({ name, data }) {
    if (name === 'ready') return this.#ready();
    if (name !== 'put' && name !== 'drop') return;
    const { key, value } = JSON.parse(data); // a broken one ends the connection, and the next is whole
    if (typeof key !== 'string') return;
    if (name === 'drop') {
      this.#keys.delete(key);
      this.#seen?.delete(key);
      return this.#listener.drop(key);
    }
    this.#keys.add(key);
    this.#seen?.add(key);
    this.#listener.put(key, value);
  }

  // What went while we did not look is not in the new full set.
  #ready() {
    for (const key of this.#keys) {
      if (this.#seen?.has(key)) continue;
      this.#keys.delete(key);
      this.#listener.drop(key);
    }
    this.#seen = null;
    this.#lostSince = null;
    this.#listener.state('live', {});
    this.#listener.ready();
  }
}
