// Boards of a node that was started a moment ago, as a real one sends them: the chain has one block,
// nobody's height is believed, the history is one step, and no masternode has a strip.

import { AWAY, masternode, status } from './state.mjs';
import { MINUTE, time } from './history.mjs';

const DAY = 24 * 60 * MINUTE;
const STEP = 15 * MINUTE;

function youngHistory(now, ips, point) {
  const from = Math.floor(now / STEP) * STEP - 95 * STEP;
  const unknown = Object.fromEntries(Object.keys(point).map((key) => [key, null]));
  const node = Array.from({ length: 96 }, (_, i) => ({
    ...(i === 95 ? point : unknown),
    at: time(from + i * STEP),
  }));
  const masternodes = ips.map((ip) => ({ ip, connected: Array(96).fill(null), score: [] }));
  return { since: time(from), step_seconds: STEP / 1000, node, masternodes };
}

function youngBoard(now, rows, point) {
  const first = status(now, rows);
  first.started_at = time(now - 3 * MINUTE);
  Object.assign(first.chain, {
    height: 0,
    tip_at: time(now - 361 * DAY - 11 * 60 * MINUTE),
    best_height: null,
    best_peer: null,
    ground: 'too few masternodes have told theirs',
    lag_blocks: null,
    lag_seconds: null,
    expected_height: 52_055,
    spread_blocks: null,
  });
  first.status.sync = { ...first.status.sync, height: 0, best_height: null, verdict: 'unknown' };
  first.sync_sentence = `best height unknown: ${first.chain.ground}`;
  first.clock = { peers: 0, ahead_seconds: null };
  first.clock_level = false;
  const ips = rows.map(({ ip }) => ip);
  const out = new Map([
    ['status', first],
    ['history', youngHistory(now, ips, point)],
  ]);
  for (const each of rows) out.set(`masternode/${each.ip}`, each);
  return out;
}

const POINT = {
  whitelisted: 2,
  connected_mean: 1.6,
  connected_min: 0,
  height: 0,
  best_height: null,
  lag_max: null,
  own_outage_seconds: 0,
};

export function freshBoard(now) {
  const more = { connected_at: time(now - 2 * MINUTE), height: 0, lag_blocks: null };
  const rows = ['192.0.2.14', '192.0.2.87'].map((ip, i) => masternode(now, ip, `mn-${i}`, more));
  return youngBoard(now, rows, POINT);
}

export function passiveBoard(now) {
  const more = { ...AWAY, state: 'idle', tone: 'plain', score: null, last_heard_at: null };
  const rows = ['192.0.2.14', '192.0.2.87'].map((ip, i) => masternode(now, ip, `mn-${i}`, more));
  const out = youngBoard(now, rows, { ...POINT, connected_mean: 0 });
  out.get('status').alert_counts = { notice: 1 };
  const told = out.get('status').status;
  told.verdict = 'unknown';
  told.summary = 'the node runs passive and opens no connection: node.mode is passive';
  told.next_command = 'timectl node info';
  told.node = { ...told.node, mode: 'passive', listen: null };
  told.node.passive_because = 'node.mode is passive';
  told.masternodes = { whitelisted: 2, connected: null, down: [] };
  return out;
}
