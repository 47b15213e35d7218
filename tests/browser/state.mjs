// A state of a node that looks real, made anew the same from one moment: for screenshots and for the
// tests of the page. Addresses are those set aside for documentation.

import { history, MINUTE, TIP, time } from './history.mjs';

export function masternode(now, ip, label, more = {}) {
  return {
    ip,
    label,
    direction: 'out',
    state: 'connected',
    whitelisted: true,
    connected_at: time(now - 3 * 86_400_000 - 4_000_000),
    rtt_ms: 24.3,
    loss: 0,
    missed_pongs: 0,
    height: TIP,
    score: 97.4,
    bytes_in: 10_481_020,
    bytes_out: 9_120_332,
    commit_count: 2344,
    next_attempt_at: null,
    next_attempt_reason: '',
    attempts: 0,
    last_end_reason: null,
    last_heard_at: time(now - 4000),
    lag_blocks: 0,
    down_since: null,
    connected: true,
    tone: 'good',
    ...more,
  };
}

export const AWAY = {
  direction: null,
  state: 'backoff',
  connected_at: null,
  rtt_ms: null,
  loss: null,
  missed_pongs: null,
  bytes_in: null,
  bytes_out: null,
  height: null,
  lag_blocks: null,
  commit_count: null,
  connected: false,
  tone: 'bad',
};

function masternodes(now) {
  const at = (ms) => time(now - ms);
  return [
    masternode(now, '203.0.113.77', 'sao-paulo-1', {
      ...AWAY,
      score: 41.2,
      attempts: 9,
      last_end_reason: 'timed_out',
      last_heard_at: at(23 * MINUTE),
      down_since: at(22 * MINUTE),
      next_attempt_at: time(now + 38_000),
      next_attempt_reason: 'after timed_out: the gaps double up to their cap',
    }),
    masternode(now, '198.51.100.23', 'frankfurt-2', {
      state: 'degraded',
      tone: 'warn',
      rtt_ms: 212.8,
      loss: 0.11,
      missed_pongs: 2,
      score: 68.9,
      connected_at: at(47 * MINUTE),
    }),
    masternode(now, '192.0.2.14', 'frankfurt-1', { rtt_ms: 3.2, score: 99.6 }),
    masternode(now, '192.0.2.87', 'helsinki-1', { direction: 'in', rtt_ms: 28.4, score: 98.8 }),
    masternode(now, '198.51.100.4', 'ashburn-1', {
      rtt_ms: 91.7,
      score: 97.2,
      lag_blocks: 1,
      height: TIP - 1,
    }),
    masternode(now, '198.51.100.61', 'toronto-1', {
      direction: 'in',
      rtt_ms: 104.9,
      score: 96.1,
      connected_at: at(19 * 3_600_000),
    }),
    masternode(now, '203.0.113.9', 'singapore-1', { rtt_ms: 168.2, score: 93.5 }),
    masternode(now, '203.0.113.40', 'tokyo-1', {
      direction: 'in',
      rtt_ms: 231.6,
      score: 91.8,
      missed_pongs: 0,
    }),
    masternode(now, '203.0.113.142', 'sydney-1', {
      rtt_ms: 284.1,
      score: 88.4,
      connected_at: at(9 * 3_600_000),
    }),
    masternode(now, '192.0.2.201', 'london-1', { direction: 'in', rtt_ms: 14.8, score: 99.1 }),
    masternode(now, '2001:db8:51::7', 'amsterdam-v6', { rtt_ms: 9.4, score: 98.2 }),
    masternode(now, '198.51.100.190', '', {
      rtt_ms: 47.3,
      score: 95.7,
      connected_at: at(26 * 3_600_000),
    }),
  ];
}

export const alert = (now, rule, object, severity, minutes, text, more = {}) => ({
  id: 41,
  rule,
  object,
  severity,
  state: 'firing',
  text,
  since: time(now - minutes * MINUTE),
  fired_at: time(now - minutes * MINUTE + 30_000),
  resolved_at: null,
  flapping: false,
  acked_by: null,
  acked_at: null,
  silenced_until: null,
  silenced_by: null,
  silenced_because: null,
  hidden_by: null,
  deliveries: [],
  ...more,
});

function alerts(now) {
  return [
    alert(
      now,
      'masternode_down',
      '203.0.113.77',
      'critical',
      22,
      'Whitelisted peer 203.0.113.77 is not connected (timed_out)',
      { id: 57 },
    ),
    alert(
      now,
      'port_unreachable',
      '',
      'warning',
      310,
      'Nobody has connected to this node within a day: its P2P port may be closed',
      { id: 55, acked_by: 'marta' },
    ),
    alert(
      now,
      'clock_off',
      '',
      'warning',
      95,
      "This machine's clock is 12.4 s ahead of the median of 11 peers (alerts.clock_offset = 10 s)",
      {
        id: 56,
        silenced_until: time(now + 100 * MINUTE),
        silenced_by: 'marta',
        silenced_because: 'new time server',
      },
    ),
  ];
}

function events(now) {
  const event = (seconds, kind, severity, peer, more = {}) => ({
    at: time(now - seconds * 1000),
    kind,
    severity,
    peer,
    whitelisted: peer !== null,
    direction: null,
    reason: null,
    detail: '',
    delay_seconds: 0,
    missed_pongs: 0,
    total: 0,
    inbound: 0,
    masternodes: 0,
    ...more,
  });
  return [
    event(86_000, 'node_started', 'info', null, { detail: '0.1.0 on 192.0.2.5:24000' }),
    event(31_200, 'peer_connected', 'info', '203.0.113.142', { direction: 'out' }),
    event(5400, 'list_changed', 'notice', null, { detail: '1 new: 198.51.100.190' }),
    event(4100, 'violation', 'notice', '192.0.2.233', {
      whitelisted: false,
      detail: 'undecodable frame: 2 points',
    }),
    event(2880, 'peer_disconnected', 'critical', '198.51.100.23', {
      reason: 'closed_by_peer',
      detail: 'FIN',
    }),
    event(2878, 'dial_scheduled', 'info', '198.51.100.23', { delay_seconds: 2 }),
    event(2876, 'peer_connected', 'info', '198.51.100.23', { direction: 'out' }),
    event(1500, 'peer_degraded', 'warning', '198.51.100.23', {
      detail: '11 % of its pings were not answered in time',
    }),
    event(1390, 'peer_suspect', 'notice', '203.0.113.77', { detail: 'silent for 16 s' }),
    event(1350, 'peer_disconnected', 'critical', '203.0.113.77', {
      reason: 'transport_dead',
      detail: 'no acknowledgement for 45 s',
    }),
    event(1349, 'dial_scheduled', 'info', '203.0.113.77', { delay_seconds: 2 }),
    event(1332, 'dial_failed', 'notice', '203.0.113.77', {
      reason: 'timed_out',
      detail: 'no answer within 10 s',
    }),
    event(1320, 'alert_fired', 'critical', '203.0.113.77', {
      detail: 'masternode_down: Whitelisted peer 203.0.113.77 is not connected',
    }),
    event(620, 'inbound_accepted', 'info', '192.0.2.87', {
      direction: 'in',
      total: 37,
      inbound: 21,
    }),
    event(82, 'dial_failed', 'notice', '203.0.113.77', {
      reason: 'timed_out',
      detail: 'no answer within 10 s',
    }),
    event(22, 'dial_scheduled', 'info', '203.0.113.77', { delay_seconds: 60 }),
  ];
}

export function status(now, rows) {
  const down = rows.filter((row) => !row.connected);
  const connected = rows.length - down.length;
  return {
    at: time(now),
    version: '0.1.0',
    started_at: time(now - 3 * 86_400_000 - 5 * 3_600_000 - 754_000),
    status: {
      verdict: down.length === 0 ? 'ok' : connected === 0 ? 'critical' : 'degraded',
      summary:
        down.length === 0
          ? `all ${rows.length} whitelisted masternodes are connected`
          : `${down.length} of ${rows.length} whitelisted masternodes not connected`,
      network: 'testnet',
      node: {
        running: true,
        pid: 812,
        mode: 'active',
        uptime_seconds: 0,
        listen: '192.0.2.5:24000',
        passive_because: '',
        ailments: [],
      },
      masternodes: { whitelisted: rows.length, connected, down: [] },
      slots: {
        total: 37,
        total_max: 125,
        regular: 26,
        regular_max: 75,
        masternode: connected,
        masternode_reserved: 50,
        inbound: 21,
        outbound: 16,
      },
      sync: {
        height: TIP,
        best_height: TIP,
        lag_blocks: 0,
        claimed_height: null,
        verdict: 'in_sync',
        ground: '',
        activity: 'idle',
      },
      alerts: [],
      next_command: down.length === 0 ? 'timectl peer list' : `timectl peer show ${down[0].ip}`,
    },
    chain: {
      height: TIP,
      tip_hash: 'ab'.repeat(32),
      tip_at: time(now - 200_000),
      best_height: TIP,
      best_peer: '192.0.2.14',
      vouched_by: [],
      ground: '',
      lag_blocks: 0,
      lag_seconds: 0,
      other_branch: false,
      parted_at: null,
      expected_height: TIP,
      claimed_height: null,
      syncing: false,
      paused: false,
      activity: 'idle',
      activity_because: '',
      blocks_per_minute: null,
      eta_seconds: null,
      spread_blocks: 1,
      masternodes: connected,
      network_stalled: false,
      clock_doubted: false,
      forks: 0,
      in_sync_blocks: 2,
    },
    clock: { peers: connected, ahead_seconds: 12.4 },
    clock_level: false,
    sync_sentence: 'in sync',
    peers: { known: 214, connected: 37, banned: 3 },
    alert_counts: {
      critical: down.length,
      error: 0,
      warning: 0,
      notice: 0,
      pending: 0,
      silenced: 0,
      hidden: 0,
    },
    masternodes_left_out: 0,
    alerts_left_out: 0,
  };
}

export const eventKey = (n) => `event/${String(n).padStart(20, '0')}`;

// The whole board, in the order in which the node sends it.
export function board(now) {
  const rows = masternodes(now);
  const out = new Map([
    ['status', status(now, rows)],
    ['history', history(now, rows)],
  ]);
  Object.assign(out.get('status').alert_counts, { warning: 1, silenced: 1 });
  for (const row of rows) out.set(`masternode/${row.ip}`, row);
  for (const each of alerts(now)) out.set(`alert/${each.rule}/${each.object}`, each);
  events(now).forEach((event, i) => out.set(eventKey(i + 1), event));
  return out;
}

// All is well: nothing is away, nothing is wrong.
export function calmBoard(now) {
  const rows = masternodes(now).slice(2);
  const well = status(now, rows);
  well.clock.ahead_seconds = 0.1;
  well.clock_level = true;
  const out = new Map([
    ['status', well],
    ['history', history(now, rows)],
  ]);
  for (const row of rows) out.set(`masternode/${row.ip}`, row);
  return out;
}
