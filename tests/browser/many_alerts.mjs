// Boards with many alerts: 131 masternodes that went away together, beside one alert that fires; and
// many rules at once.

import { alert, AWAY, board, masternode, status } from './state.mjs';

export const LOST = 131;
const lostIp = (i) => `198.18.0.${i + 1}`;

function without(all, kind) {
  for (const key of [...all.keys()]) if (key.startsWith(kind)) all.delete(key);
}

// None of the 131 has been away for long enough: all are pending, each graver than what fires.
export function lostBoard(now) {
  const out = board(now);
  without(out, 'alert/');
  without(out, 'masternode/');
  const rows = Array.from({ length: LOST }, (_, i) =>
    masternode(now, lostIp(i), i < 100 ? `node-${i + 1}` : '', { ...AWAY, score: 67 }),
  );
  out.set('status', status(now, rows));
  out.get('status').alert_counts = { critical: 0, error: 0, warning: 1, pending: LOST };
  for (const row of rows) {
    out.set(`masternode/${row.ip}`, row);
    const text = `Whitelisted peer ${row.ip} is not connected (backoff)`;
    const more = { id: null, state: 'pending', fired_at: null };
    out.set(
      `alert/masternode_down/${row.ip}`,
      alert(now, 'masternode_down', row.ip, 'critical', 0.2, text, more),
    );
  }
  const disk = 'The volume of the data has 1.2 % left';
  out.set('alert/disk_low/', alert(now, 'disk_low', '', 'warning', 50, disk, { id: 7 }));
  return out;
}

// `rules` rules, with 3 alerts each: too few to be folded.
export function manyRulesBoard(now, rules) {
  const out = board(now);
  without(out, 'alert/');
  for (let i = 0; i < rules; ++i) {
    for (const object of ['192.0.2.14', '192.0.2.87', '198.51.100.4']) {
      const text = `Something of rule ${i} is wrong with ${object}, which takes a whole line`;
      out.set(
        `alert/rule_${i}/${object}`,
        alert(now, `rule_${i}`, object, 'warning', i + 1, text, { id: 100 + i }),
      );
    }
  }
  return out;
}
