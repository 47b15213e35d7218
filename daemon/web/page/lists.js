// The alerts and the events.

import { attr, byId, el, icon, keep, moment, setIcon, show, text } from './dom.js';
import { count, several, visible, words } from './text.js';
import { labelOf } from './masternodes.js';

const SEVERITIES = ['critical', 'error', 'warning', 'notice', 'info'];
const MARKS = {
  __proto__: null,
  critical: ['bad', 'bad'],
  error: ['bad', 'bad'],
  warning: ['warn', 'warn'],
  notice: ['note', 'note'],
  info: ['dot', 'quiet'],
};
const mark = (severity) => MARKS[severity] ?? ['unknown', 'unknown'];
// A word that is not here is of a newer node: in the middle, so that no choice hides it by mistake.
const grave = (severity) => (SEVERITIES.includes(severity) ? SEVERITIES.indexOf(severity) : 2);

// --- alerts

// Of the node's counts, in this order; those of a severity fire, and nobody hushed them.
const COUNTED = ['critical', 'error', 'warning', 'notice', 'pending', 'silenced', 'hidden'];

const alerts = new Map();
const alertNodes = new Map();
const FOLDED = 4; // so many of one rule, or more, are one line
const NAMED = 3; // of them are named on it
const MOST_LINES = 10;
const MOST_LINES_NARROW = 3; // the masternodes are to stand within the first two screens of a phone
const narrow = matchMedia('(max-width: 48rem)'); // as in app.css
const natural = new Intl.Collator('en', { numeric: true }); // 10 behind 9
const opened = new Set(); // folds whose alerts are shown
let allLines = false;
let alertCounts = {};
let alertsLeftOut = 0;
let alertsDirty = true;
let loaded = false;

export function putAlert(key, row) {
  alerts.set(key, row);
  alertsDirty = true;
}
export function dropAlert(key) {
  alerts.delete(key);
  alertsDirty = true;
}
// Both as the node counted them: what is listed here may be only a part.
export function setAlertTotals(counts, leftOut) {
  alertCounts = counts;
  alertsLeftOut = leftOut;
  alertsDirty = true;
}
export function setLoaded() {
  loaded = alertsDirty = eventsDirty = true;
}

const taken = (row) =>
  Number(Boolean(row.hidden_by)) * 4 +
  Number(Boolean(row.silenced_until)) * 2 +
  Number(Boolean(row.acked_by));
// What fires stands before what has not held for long enough; what somebody has in hand, or has
// hushed, stands behind what nobody has seen.
const standing = (row) => (taken(row) ? 2 : row.state === 'pending' ? 1 : 0);
function compareAlerts([keyA, a], [keyB, b]) {
  return (
    standing(a) - standing(b) ||
    grave(a.severity) - grave(b.severity) ||
    taken(a) - taken(b) ||
    Date.parse(b.since) - Date.parse(a.since) ||
    natural.compare(keyA, keyB)
  );
}

// The lines of the list: an alert {key, row}, or many of one rule that stand alike {key, group}. A
// fold stands where the first of them would.
function foldAlerts(sorted) {
  const groups = new Map();
  const nameOf = (row) => `fold ${standing(row)} ${row.rule}`; // no alert's key has a blank
  for (const [key, row] of sorted) {
    const name = nameOf(row);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push({ key, row, folded: true });
  }
  const lines = [];
  for (const [key, row] of sorted) {
    const inside = groups.get(nameOf(row));
    if (inside.length < FOLDED) lines.push({ key, row });
    else if (inside[0].key === key)
      lines.push({ key: nameOf(row), group: inside.map((each) => each.row), inside });
  }
  return lines;
}

function nameObject(row) {
  if (!row.object) return 'this node';
  const label = visible(labelOf(row.object), 60);
  return label || visible(row.object, 60);
}

function makeFold({ key }) {
  const parts = {
    icon: icon('unknown', 'unknown'),
    severity: el('b', { class: 'severity' }),
    rule: el('b', { class: 'foreign' }),
    since: el('time'),
    marks: el('span', { class: 'marks' }),
    names: el('p', { class: 'what foreign' }),
    button: el('button', { type: 'button' }),
    explain: el('code'),
  };
  parts.button.addEventListener('click', () => {
    if (!opened.delete(key)) opened.add(key);
    alertsDirty = true;
    renderAlerts();
  });
  const first = el('span', { class: 'quiet' }, 'the first for ', parts.since);
  const head = el('p', { class: 'head' }, parts.severity, parts.rule, first, parts.marks);
  const hints = el('p', { class: 'hints' }, parts.button, ' ', parts.explain);
  const node = el('li', { 'data-fold': true }, parts.icon, el('div', {}, head, parts.names, hints));
  node.parts = parts;
  return node;
}

function updateFold(node, { key, group }) {
  const { parts } = node;
  const [first] = group; // the gravest
  const [shape, tone] = mark(first.severity);
  setIcon(parts.icon, shape, tone);
  attr(node, 'data-tone', tone);
  attr(node, 'data-taken', taken(first) > 0);
  text(parts.severity, words(first.severity));
  text(parts.rule, `${count(group.length)} × ${words(first.rule)}`);
  const oldest = group.reduce((a, b) => (Date.parse(b.since) < Date.parse(a.since) ? b : a));
  moment(parts.since, oldest.since, 'age');
  const names = group.slice(0, NAMED).map(nameObject).join(', ');
  text(parts.names, `${names} and ${count(group.length - NAMED)} more`);
  const open = opened.has(key);
  attr(parts.button, 'aria-expanded', open ? 'true' : 'false');
  text(parts.button, open ? 'Fold them' : `Show the ${count(group.length)}`);
  text(parts.explain, `timectl explain ${visible(first.rule, 60)}`);
  const marks = foldMarks(group).join('\n');
  if (node.marks === marks) return;
  node.marks = marks;
  parts.marks.replaceChildren(
    ...marks.split('\n').map((said) => said && el('span', { class: 'tag foreign' }, said)),
  );
}

// What is true of some of them says of how many.
function foldMarks(group) {
  const marks = [];
  const add = (said, is) => {
    const n = group.filter(is).length;
    if (n > 0) marks.push(n === group.length ? said : `${count(n)} ${said}`);
  };
  add('pending', (row) => row.state === 'pending');
  add('acknowledged', (row) => row.acked_by);
  add('silenced', (row) => row.silenced_until);
  for (const by of new Set(group.map((row) => row.hidden_by).filter(Boolean)))
    add(`follows from ${words(by)}`, (row) => row.hidden_by === by);
  const lacking = new Map();
  for (const { sink, state } of group.flatMap((row) => row.deliveries ?? []))
    if (state !== 'delivered') lacking.set(sink, (lacking.get(sink) ?? 0) + 1);
  for (const [sink, n] of lacking) marks.push(`${count(n)} not at ${visible(sink, 40)}`);
  return marks;
}

function makeAlert() {
  const parts = {
    icon: icon('unknown', 'unknown'),
    severity: el('b', { class: 'severity' }),
    text: el('p', { class: 'what foreign' }),
    since: el('time'),
    object: el('span', { class: 'foreign' }),
    marks: el('span', { class: 'marks' }),
    explain: el('code'),
    ack: el('code'),
  };
  parts.hints = el('p', { class: 'hints' }, parts.explain, ' ', parts.ack);
  const node = el(
    'li',
    {},
    parts.icon,
    el(
      'div',
      {},
      el(
        'p',
        { class: 'head' },
        parts.severity,
        parts.object,
        el('span', { class: 'quiet' }, 'for ', parts.since),
        parts.marks,
      ),
      parts.text,
      parts.hints,
    ),
  );
  node.parts = parts;
  return node;
}

function updateAlert(node, { row, folded }) {
  attr(node, 'data-folded', folded);
  if (node.row === row) return;
  node.row = row;
  const { parts } = node;
  const [shape, tone] = mark(row.severity);
  setIcon(parts.icon, shape, tone);
  attr(node, 'data-tone', tone);
  attr(node, 'data-taken', taken(row) > 0);
  text(parts.severity, words(row.severity));
  text(parts.text, visible(row.text));
  moment(parts.since, row.since, 'age');
  const label = visible(labelOf(row.object), 60);
  text(
    parts.object,
    row.object
      ? label
        ? `${label} ${visible(row.object, 60)}`
        : visible(row.object, 60)
      : 'this node',
  );
  const marks = [];
  const add = (said, title) => marks.push(el('span', { class: 'tag foreign', title }, said));
  if (row.state === 'pending') add('pending', 'It has not held for long enough to be told.');
  if (row.flapping) add('comes and goes');
  if (row.acked_by) add(`acknowledged by ${visible(row.acked_by, 60)}`);
  if (row.silenced_until) {
    const until = el('time');
    moment(until, row.silenced_until, 'clock');
    const by = visible([row.silenced_by, row.silenced_because].filter(Boolean).join(': '), 120);
    marks.push(
      el('span', { class: 'tag foreign' }, 'silenced until ', until, by ? ` by ${by}` : ''),
    );
  }
  if (row.hidden_by) add(`follows from ${words(row.hidden_by)}`);
  for (const { sink, state, error } of row.deliveries ?? []) {
    if (state !== 'delivered')
      add(`not at ${visible(sink, 40)}: ${words(state)}`, visible(error) || undefined);
  }
  parts.marks.replaceChildren(...marks);
  text(parts.explain, `timectl explain ${visible(row.rule, 60)}`);
  const canAck = row.id !== null && row.id !== undefined && !row.acked_by;
  show(parts.ack, canAck);
  text(parts.ack, canAck ? `timectl alerts ack ${visible(row.id, 20)}` : '');
}

function renderAlerts() {
  if (!alertsDirty) return;
  alertsDirty = false;
  const lines = foldAlerts(
    [...alerts.entries()].filter(([, row]) => row.state !== 'resolved').sort(compareAlerts),
  );
  const most = narrow.matches ? MOST_LINES_NARROW : MOST_LINES;
  const shown = allLines ? lines : lines.slice(0, most);
  keep(
    byId('alert-list'),
    alertNodes,
    shown.flatMap((line) => (opened.has(line.key) ? [line, ...line.inside] : [line])),
    ({ key }) => key,
    (line) => (line.group ? makeFold(line) : makeAlert()),
    (node, line) => (line.group ? updateFold(node, line) : updateAlert(node, line)),
  );
  text(
    byId('alerts-count'),
    COUNTED.filter((name) => alertCounts?.[name] > 0)
      .map((name) => `${count(alertCounts[name])} ${name}`)
      .join(' · '),
  );
  show(byId('alert-list'), lines.length > 0);
  show(byId('alerts-none'), loaded && lines.length === 0 && alertsLeftOut === 0);
  show(byId('alerts-all'), lines.length > most);
  attr(byId('alerts-all'), 'aria-expanded', allLines ? 'true' : 'false');
  text(byId('alerts-all'), allLines ? 'Show fewer' : `Show ${count(lines.length - most)} more`);
  show(byId('alerts-more'), alertsLeftOut > 0);
  text(byId('alerts-more'), `${several(alertsLeftOut, 'alert')} more: timectl alerts`);
}

// --- events

const MOST_EVENTS = 100;
const events = new Map();
const eventNodes = new Map();
let eventsDirty = true;
let paused = null; // the events as they were when the list was stopped
let least = 'info';

export function putEvent(key, event) {
  events.set(key, event);
  if (events.size > MOST_EVENTS) events.delete([...events.keys()].sort()[0]);
  eventsDirty = true;
}
export function dropEvent(key) {
  events.delete(key);
  eventsDirty = true;
}

function makeEvent([, event]) {
  const [shape, tone] = mark(event.severity);
  const time = el('time');
  moment(time, event.at, 'clock');
  const what = el('span', { class: 'foreign' });
  const label = visible(labelOf(event.peer), 60);
  const rest = [];
  if (event.reason) rest.push(words(event.reason));
  if (event.kind === 'dial_scheduled') rest.push(`in ${count(event.delay_seconds)} s`);
  if (event.detail) rest.push(visible(event.detail));
  what.append(el('b', {}, words(event.kind)));
  if (event.peer)
    what.append(
      ' ',
      el(
        'span',
        { class: 'ip' },
        label ? `${label} ${visible(event.peer, 60)}` : visible(event.peer, 60),
      ),
    );
  if (rest.length > 0) what.append(el('span', { class: 'rest' }, ` ${rest.join(': ')}`));
  const sign = icon(shape, tone);
  return el(
    'li',
    { 'data-severity': words(event.severity) },
    time,
    sign,
    el('span', { class: 'sr' }, `${words(event.severity)}: `),
    what,
  );
}

function renderEvents() {
  if (!eventsDirty) return;
  eventsDirty = false;
  const source = paused ?? events;
  const limit = grave(least);
  const wanted = [...source.entries()]
    .filter(([, event]) => grave(event.severity) <= limit)
    .sort(([a], [b]) => (a < b ? 1 : -1));
  keep(
    byId('event-list'),
    eventNodes,
    wanted,
    ([key]) => key,
    makeEvent,
    () => {},
  );
  show(byId('events-none'), loaded && wanted.length === 0);
  text(
    byId('events-none'),
    source.size === 0
      ? 'Nothing has happened yet.'
      : 'Nothing so grave is among the last 100 events.',
  );
  const waiting = paused ? [...events.keys()].filter((key) => !paused.has(key)).length : 0;
  text(byId('pause'), paused ? (waiting ? `Go on (${waiting} new)` : 'Go on') : 'Pause');
}

export function togglePause() {
  paused = paused ? null : new Map(events);
  attr(byId('pause'), 'aria-pressed', paused ? 'true' : 'false');
  eventsDirty = true;
  renderEvents();
}

export function render() {
  renderAlerts();
  renderEvents();
}

export function start() {
  const again = () => {
    alertsDirty = true;
    renderAlerts();
  };
  narrow.addEventListener('change', again);
  byId('alerts-all').addEventListener('click', () => {
    allLines = !allLines;
    again();
  });
  byId('pause').addEventListener('click', togglePause);
  byId('events-from').addEventListener('change', (change) => {
    least = change.target.value;
    eventsDirty = true;
    renderEvents();
  });
}
