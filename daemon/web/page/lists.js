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

const alerts = new Map();
const alertNodes = new Map();
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
export function setAlertsLeftOut(value) {
  if (alertsLeftOut !== value) alertsDirty = true;
  alertsLeftOut = value;
}
export function setLoaded() {
  loaded = alertsDirty = eventsDirty = true;
}

// What somebody has taken in hand, or has hushed, stands behind what nobody has seen.
const taken = (row) =>
  Number(Boolean(row.hidden_by)) * 4 +
  Number(Boolean(row.silenced_until)) * 2 +
  Number(Boolean(row.acked_by));
function compareAlerts([keyA, a], [keyB, b]) {
  return (
    grave(a.severity) - grave(b.severity) ||
    taken(a) - taken(b) ||
    Date.parse(b.since) - Date.parse(a.since) ||
    (keyA < keyB ? -1 : 1)
  );
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

function updateAlert(node, [, row]) {
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
  for (const { sink, state } of row.deliveries ?? []) {
    if (!/^(delivered|sent|ok)$/.test(state)) add(`${visible(sink, 40)}: ${words(state)}`);
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
  const wanted = [...alerts.entries()]
    .filter(([, row]) => row.state !== 'resolved')
    .sort(compareAlerts);
  keep(byId('alert-list'), alertNodes, wanted, ([key]) => key, makeAlert, updateAlert);
  const total = wanted.length + alertsLeftOut;
  text(byId('alerts-count'), total ? count(total) : '');
  show(byId('alert-list'), wanted.length > 0);
  show(byId('alerts-none'), loaded && total === 0);
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
  byId('pause').addEventListener('click', togglePause);
  byId('events-from').addEventListener('change', (change) => {
    least = change.target.value;
    eventsDirty = true;
    renderEvents();
  });
}
