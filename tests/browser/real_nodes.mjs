// Real nodes on 127.x addresses with one P2P port, as tests/e2e has them: each is the binary in the
// foreground with its own directory; what was started is ended by its process id, and dies with us.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

const BINARY =
  process.env.TIMECTL ?? fileURLToPath(new URL('../../build/release/timectl', import.meta.url));
// What the caller's shell has set must not change what is tested.
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(TIMECTL_|XDG_)|_proxy$/i.test(name)),
);

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

class RealNode {
  constructor(directory, ip, port, dashboard) {
    Object.assign(this, { ip, directory });
    mkdirSync(directory);
    writeFileSync(
      join(directory, 'timectl.toml'),
      `[node]\nlisten = "${ip}"\n[network]\nname = "testnet"\nport = ${port}\n` +
        `[discovery]\nenabled = false\n[dashboard]\n${dashboard ? `listen = "127.0.0.1:${dashboard}"` : 'enabled = false'}\n`,
    );
  }

  #words(words) {
    return [
      '--config',
      join(this.directory, 'timectl.toml'),
      '--data-dir',
      join(this.directory, 'data'),
      '--socket',
      join(this.directory, 'node.sock'),
      ...words,
    ];
  }

  // Returns when the node is ready.
  async start() {
    const words = [
      '--pdeathsig',
      'KILL',
      BINARY,
      ...this.#words(['node', 'start', '--foreground']),
    ];
    this.process = spawn('setpriv', words, {
      env: ENVIRONMENT,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.log = '';
    this.process.stderr.on('data', (data) => {
      this.log += data;
    });
    this.ended = new Promise((done) => {
      this.process.on('exit', done);
    });
    const deadline = Date.now() + 15_000;
    while (this.ask(['node', 'status'])?.running !== true) {
      if (Date.now() > deadline || this.process.exitCode !== null)
        throw new Error(`the node on ${this.ip} did not start:\n${this.log}`);
      await new Promise((done) => {
        setTimeout(done, 20);
      });
    }
  }

  run(words) {
    return spawnSync(BINARY, this.#words(words), {
      env: ENVIRONMENT,
      encoding: 'utf8',
      timeout: 10_000,
    });
  }
  // `data` of a --json answer; undefined where the command failed.
  ask(words) {
    const { stdout } = this.run(['--json', ...words]);
    try {
      return JSON.parse(stdout).data;
    } catch {
      return undefined;
    }
  }
  link() {
    return this.run(['node', 'info']).stdout.match(/http:\/\/\S+\?token=\S+/)?.[0];
  }
  async kill() {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode) return;
    this.process.kill('SIGKILL');
    await this.ended;
  }
}

export class RealNodes {
  nodes = [];

  static async make(count) {
    const all = new RealNodes();
    all.directory = mkdtempSync(join(tmpdir(), 'timectl-browser-'));
    const [port, dashboard] = [await freePort(), await freePort()];
    for (let i = 0; i < count; ++i) {
      const ip = `127.0.0.${2 + i}`;
      all.nodes.push(new RealNode(join(all.directory, ip), ip, port, i === 0 ? dashboard : 0));
    }
    return all;
  }

  async remove() {
    for (const node of this.nodes) await node.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
