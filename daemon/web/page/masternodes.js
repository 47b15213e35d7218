// The table of masternodes: order, filter, one row each with its strip of the last 24 hours.

import { attr, byId, el, icon, keep, moment, setIcon, show, svg, text } from './dom.js';
import { drawStrip } from './strip.js';
import { count, decimal, known, several, visible, words } from './text.js';

// How bad a state is the node says (`tone`), as it says whether there is a connection
// (`connected`): bar, row and alert tell the same of one masternode. The mark is of the tone.
const MARKS = { __proto__: null, good: 'ok', warn: 'warn', bad: 'bad', plain: 'unknown' };
const toneOf = (row) => (MARKS[row.tone] ? row.tone : 'plain');
// The worst first, as the node orders them: away, in trouble, connected; then by score.
const rank = (row) => (!row.connected ? 0 : toneOf(row) === 'good' ? 2 : 1);
const FIRST_ROWS = 50; // the rest by a button: what matters stands first

function addressKey(ip) {
  if (!ip.includes(':'))
    return `4${ip
      .split('.')
      .map((part) => part.padStart(3, '0'))
      .join('')}`;
  const [head, tail = ''] = ip.split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail.split(':').filter(Boolean);
  const middle = Array(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `6${[...left, ...middle, ...right].map((part) => part.padStart(4, '0')).join('')}`;
}

// key, title, what it sorts by, whether its first press sorts downwards, full words for `title`.
const COLUMNS = [
  { key: 'state', title: 'State', by: rank },
  { key: 'name', title: 'Masternode', by: (row) => (row.label || row.ip).toLowerCase() },
  { key: 'dir', title: 'Dir', by: (row) => row.direction, means: 'Direction: who dialled' },
  {
    key: 'rtt',
    title: 'RTT',
    by: (row) => row.rtt_ms,
    down: true,
    means: 'Round trip, milliseconds',
  },
  {
    key: 'missed',
    title: 'Missed',
    by: (row) => row.missed_pongs,
    down: true,
    means: 'Missed pongs in a row, now',
  },
  { key: 'score', title: 'Score', by: (row) => row.score, means: 'Health score, 0 to 100' },
  {
    key: 'height',
    title: 'Height',
    by: (row) => row.height,
    means: 'Height as it claims, and how far that is behind',
  },
];

const rows = new Map(); // address: MasternodeRow
const strips = new Map(); // address: MasternodeStrip
const nodes = new Map(); // address: its <tr>
let history = null;
let young = true; // there is no history of any of them
let passive = ''; // why the node opens no connection; empty: it does
let loaded = false;
let leftOut = 0;
let all = false;
let sort = { key: 'state', down: false };
let filter = '';
let dirty = true;
const changed = new Set();
let redrawAll = false;

export function put(ip, row) {
  rows.set(ip, row);
  changed.add(ip);
  dirty = true;
}
export function drop(ip) {
  rows.delete(ip);
  dirty = true;
}
export function setHistory(value) {
  history = value;
  strips.clear();
  for (const strip of value?.masternodes ?? []) strips.set(strip.ip, strip);
  young = ![...strips.values()].some((strip) => strip.connected?.some(known));
  redrawAll = dirty = true;
}
export function setPassive(why) {
  if (passive !== why) redrawAll = dirty = true;
  passive = why;
}
export function setLeftOut(value) {
  if (leftOut !== value) dirty = true;
  leftOut = value;
}
export function setLoaded() {
  loaded = dirty = true;
}
export const labelOf = (ip) => rows.get(ip)?.label ?? '';

function compare(a, b) {
  const { by } = COLUMNS.find((column) => column.key === sort.key);
  const [left, right] = [by(a), by(b)];
  const [no, nor] = [left ?? null, right ?? null].map((value) => value === null);
  if (no !== nor) return no ? 1 : -1; // unknown stands last, either way
  let order = no || left === right ? 0 : left < right ? -1 : 1;
  if (sort.down) order = -order;
  return order || rank(a) - rank(b) || rounded(a.score) - rounded(b.score) || byAddress(a, b);
}
// Scores move by tenths all the time; rows should not.
const rounded = (score) => (known(score) ? Math.round(score) : 0);
const byAddress = (a, b) => (addressKey(a.ip) < addressKey(b.ip) ? -1 : 1);

function matches(row) {
  const hay = `${row.label} ${row.ip} ${words(row.state)} ${row.state}`.toLowerCase();
  return filter.split(/\s+/).every((part) => hay.includes(part));
}

const cell = (name, title, ...children) =>
  el('td', { role: 'cell', class: `c-${name}`, 'data-title': title }, ...children);

function make() {
  const state = icon('unknown', 'unknown');
  const parts = {
    icon: state,
    word: el('b'),
    since: el('small', { class: 'since' }),
    label: el('b', { class: 'foreign' }),
    ip: el('span', { class: 'ip' }),
    dir: el('span'),
    rtt: el('span'),
    missed: el('span'),
    score: el('span'),
    height: el('span'),
    lag: el('small'),
    strip: svg('svg', { class: 'strip', role: 'img', preserveAspectRatio: 'none' }, svg('title')),
    why: el('span', { class: 'foreign' }),
    next: el('span'),
    heardTime: el('time'),
  };
  parts.heard = el('span', {}, 'Last heard ', parts.heardTime);
  parts.sinceWord = document.createTextNode('');
  parts.sinceTime = el('time');
  parts.since.append(parts.sinceWord, parts.sinceTime);
  const row = el(
    'tr',
    { role: 'row' },
    cell('state', '', state, el('span', {}, parts.word, parts.since)),
    cell('name', '', parts.label, parts.ip),
    cell('dir', 'Direction', parts.dir),
    cell('rtt', 'RTT', parts.rtt),
    cell('missed', 'Missed', parts.missed),
    cell('score', 'Score', parts.score),
    cell('height', 'Height', el('span', {}, parts.height, parts.lag)),
    cell('strip', '', parts.strip),
    (parts.whyCell = cell('why', '', parts.why, parts.next, parts.heard)),
  );
  row.parts = parts;
  return row;
}

// Set only where it differs: 500 rows are looked at for each change of one.
function update(node, row) {
  if (!changed.has(row.ip) && !redrawAll && node.drawn) return;
  const { parts } = node;
  const tone = toneOf(row);
  const live = row.connected === true;
  setIcon(parts.icon, MARKS[tone], tone);
  text(parts.word, words(row.state));
  attr(node, 'data-tone', tone);
  const since = live ? row.connected_at : row.down_since;
  show(parts.since, since);
  if (since) {
    parts.sinceWord.data = live ? 'for ' : 'away for ';
    moment(parts.sinceTime, since, 'age');
  }
  text(parts.label, visible(row.label, 80));
  attr(parts.label, 'title', row.label.length > 24 ? visible(row.label) : null);
  show(parts.label, row.label !== '');
  text(parts.ip, visible(row.ip, 60));
  const incoming = row.direction === 'in';
  unknownOr(parts.dir, row.direction, () => (incoming ? '← in' : '→ out'));
  attr(parts.dir, 'title', row.direction && (incoming ? 'it dialled us' : 'we dialled it'));
  unknownOr(parts.rtt, row.rtt_ms, (ms) => `${ms < 10 ? decimal(ms) : count(ms)} ms`);
  unknownOr(parts.missed, row.missed_pongs, count);
  attr(parts.missed, 'class', row.missed_pongs > 0 ? 'strong' : null);
  unknownOr(parts.score, row.score, count);
  unknownOr(parts.height, row.height, count);
  show(parts.lag, known(row.lag_blocks));
  if (known(row.lag_blocks))
    text(parts.lag, row.lag_blocks === 0 ? 'level' : `${count(row.lag_blocks)} behind`);
  updateWhy(parts, row, live);
  if (redrawAll || !node.drawn) drawStrip(parts.strip, strips.get(row.ip), history);
  node.drawn = true;
}

function unknownOr(node, value, say) {
  const missing = value === null || value === undefined;
  text(node, missing ? '–' : say(value));
  attr(node, 'role', missing ? 'img' : null);
  attr(node, 'aria-label', missing ? 'unknown' : null);
}

// Of one that is not connected: why, and when it is dialled again.
function updateWhy(parts, row, live) {
  const ended = row.last_end_reason;
  const next = row.next_attempt_reason;
  // "after timed_out: ..." says both; the word is printed as everywhere else.
  const both = ended && next?.startsWith(`after ${ended}:`);
  const why = both
    ? [`after ${words(ended)}${visible(next.slice(`after ${ended}`.length))}`]
    : [words(ended ?? ''), visible(next)].filter(Boolean);
  show(parts.whyCell, !live);
  if (live) return;
  if (passive) why.unshift(`this node is passive: ${passive}`);
  text(parts.why, why.length > 0 ? why.join(' · ') : 'no reason is known');
  show(parts.heard, row.last_heard_at);
  if (row.last_heard_at) moment(parts.heardTime, row.last_heard_at, 'clock');
  const tried = row.attempts > 0 ? `${several(row.attempts, 'attempt')} so far` : 'no attempt yet';
  if (!row.next_attempt_at) {
    parts.next.replaceChildren(`No attempt is planned · ${tried}`);
    parts.nextTime = null;
    return;
  }
  if (!parts.nextTime) {
    parts.nextTime = el('time');
    parts.nextTail = document.createTextNode('');
    parts.next.replaceChildren('Next attempt ', parts.nextTime, parts.nextTail);
  }
  moment(parts.nextTime, row.next_attempt_at, 'until');
  parts.nextTail.data = ` · ${tried}`;
}

export function render() {
  if (!dirty) return;
  dirty = false;
  const wanted = [...rows.values()].filter((row) => filter === '' || matches(row)).sort(compare);
  const shown = all ? wanted : wanted.slice(0, FIRST_ROWS);
  keep(byId('rows'), nodes, shown, (row) => row.ip, make, update);
  changed.clear();
  redrawAll = false;
  const total = rows.size + leftOut;
  attr(byId('table'), 'data-many', shown.length > FIRST_ROWS);
  drawDots();
  text(
    byId('masternodes-count'),
    filter === '' ? (total ? count(total) : '') : `${count(wanted.length)} of ${count(total)}`,
  );
  show(byId('table'), shown.length > 0);
  show(byId('strip-legend'), shown.length > 0 && !young);
  show(byId('strip-none'), shown.length > 0 && young);
  attr(byId('table'), 'data-young', young);
  text(byId('columns').querySelector('.c-strip'), young ? 'No history yet' : 'Last 24 h');
  show(byId('rows-all'), shown.length < wanted.length);
  text(
    byId('rows-all'),
    `Show all ${count(wanted.length)} (the first ${count(shown.length)} are shown)`,
  );
  const none = byId('masternodes-none');
  show(none, loaded && (wanted.length === 0 || leftOut > 0));
  if (wanted.length === 0) {
    text(
      none,
      rows.size === 0
        ? 'The whitelist is empty: no masternode is protected. timectl whitelist add IP'
        : 'No masternode matches the filter.',
    );
  } else if (leftOut > 0) {
    text(
      none,
      `${several(leftOut, 'masternode')} more, better ones, are not shown here: timectl peer list --whitelisted`,
    );
  }
}

const DOTS = ['bad', 'warn', 'plain', 'good'];
// Every masternode as one piece of a bar, the worst first: how many, and how they are, at a glance.
function drawDots() {
  const tones = [...rows.values()].sort((a, b) => rank(a) - rank(b)).map(toneOf);
  const node = byId('mn-dots');
  attr(node, 'viewBox', `0 0 ${Math.max(1, tones.length)} 8`);
  const paths = Object.fromEntries(DOTS.map((tone) => [tone, '']));
  const width = tones.length > 150 ? 1 : 0.88;
  tones.forEach((tone, i) => {
    paths[tone] += `M${i} 0h${width}v8h-${width}z`;
  });
  for (const [tone, d] of Object.entries(paths)) attr(node.querySelector(`.${tone}`), 'd', d);
}

function setSort(key) {
  const column = COLUMNS.find((each) => each.key === key);
  sort = sort.key === key ? { key, down: !sort.down } : { key, down: column.down === true };
  showSort();
  dirty = true;
  render();
}

function showSort() {
  for (const head of byId('columns').children) {
    if (!head.dataset.key) continue;
    attr(
      head,
      'aria-sort',
      head.dataset.key !== sort.key ? null : sort.down ? 'descending' : 'ascending',
    );
  }
  byId('sort').value = sort.key;
}

export function start() {
  for (const { key, title, means } of COLUMNS) {
    const button = el('button', { type: 'button', title: means }, title);
    button.addEventListener('click', () => setSort(key));
    byId('columns').append(
      el('th', { role: 'columnheader', scope: 'col', class: `c-${key}`, 'data-key': key }, button),
    );
    byId('sort').append(el('option', { value: key }, means ?? title));
  }
  byId('columns').append(
    el('th', { role: 'columnheader', scope: 'col', class: 'c-strip' }, 'Last 24 h'),
    el('th', { role: 'columnheader', scope: 'col', class: 'c-why sr' }, 'Why it is away'),
  );
  byId('sort').addEventListener('change', (event) => setSort(event.target.value));
  const field = byId('filter');
  field.addEventListener('input', () => {
    filter = field.value.trim().toLowerCase();
    dirty = true;
    render();
  });
  byId('rows-all').addEventListener('click', () => {
    all = dirty = true;
    render();
  });
  byId('mn-dots').append(...DOTS.map((tone) => svg('path', { class: tone, d: '' })));
  showSort();
}
