// The last 24 hours of state.mjs: an upgrade, a masternode that is lost twice, a lag after the upgrade.

export const MINUTE = 60_000;
const STEP = 15 * MINUTE;
const STEPS = 96;
const BLOCK = 10 * MINUTE;
export const TIP = 4_812;

export const time = (ms) => new Date(ms).toISOString();

// Numbers that look random and are the same each time.
function dice(seed) {
  let x = seed;
  return () => {
    x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
    return x / 2_147_483_648;
  };
}

export function history(now, rows) {
  const roll = dice(7);
  const from = Math.floor(now / STEP) * STEP - (STEPS - 1) * STEP;
  const gap = (i) => i >= 22 && i < 25; // no node ran: an upgrade took longer
  const outage = new Map([
    [
      '203.0.113.77',
      [
        [60, 64],
        [94, 96],
      ],
    ],
    ['198.51.100.23', [[91, 93]]],
    ['203.0.113.142', [[57, 59]]],
  ]);
  const away = (ip, i) => (outage.get(ip) ?? []).some(([a, b]) => i >= a && i < b);
  const strips = rows.map(({ ip, score }) => {
    const connected = [];
    const scores = [];
    let health = 97;
    for (let i = 0; i < STEPS; ++i) {
      if (gap(i)) {
        connected.push(null);
        scores.push(null);
        continue;
      }
      const gone = away(ip, i);
      const edge = gone && !away(ip, i - 1);
      connected.push(edge ? 0.45 : gone ? 0 : 1);
      health = gone ? Math.max(35, health - 16) : Math.min(99, health + 2.5 + roll());
      scores.push(i > 88 && score !== null ? Math.min(score, health + 2) : health - 3 * roll());
    }
    return { ip, connected, score: scores };
  });
  const node = [];
  for (let i = 0; i < STEPS; ++i) {
    const at = from + i * STEP;
    if (gap(i)) {
      node.push({
        at: time(at),
        whitelisted: null,
        connected_mean: null,
        connected_min: null,
        height: null,
        best_height: null,
        lag_max: null,
        own_outage_seconds: null,
      });
      continue;
    }
    const shares = strips.map((strip) => strip.connected[i]);
    const best = TIP - Math.floor((now - at) / BLOCK) + 1;
    const lag = i === 25 ? 14 : i === 26 ? 6 : i > 26 && i < 30 ? 1 : roll() > 0.8 ? 1 : 0;
    node.push({
      at: time(at),
      whitelisted: rows.length,
      connected_mean: shares.reduce((a, b) => a + b, 0),
      connected_min: shares.filter((share) => share >= 0.999).length,
      height: Math.min(TIP, best) - (i < 95 ? lag : 0),
      best_height: Math.min(TIP, best),
      lag_max: lag,
      own_outage_seconds: i === 42 ? 31 : 0,
    });
  }
  return { since: time(from), step_seconds: STEP / 1000, node, masternodes: strips };
}
