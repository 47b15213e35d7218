// The page of the node: takes the stream's board and hands each part to what shows it. Nothing here
// computes a figure: all of them come from the node, as `timectl status --json` has them.

import * as charts from './charts.js';
import { attr, byId, el, moment, show, svg, text, tick } from './dom.js';
import * as lists from './lists.js';
import * as masternodes from './masternodes.js';
import { Stream } from './stream.js';
import {
  clock,
  count,
  decimal,
  duration,
  known,
  sentence,
  several,
  visible,
  words,
  zone,
} from './text.js';

// Words come from the node: no table has a word that nobody wrote into it (__proto__).
const VERDICTS = {
  __proto__: null,
  ok: ['ok', 'good', 'OK', '✓'],
  degraded: ['warn', 'warn', 'Degraded', '▲'],
  critical: ['bad', 'bad', 'Critical', '✖'],
  unknown: ['unknown', 'unknown', 'Unknown', '?'],
};
const LEAST_GAP = 100; // ms between two drawings: 500 masternodes change all the time

let overview = null;
let overviewDirty = false;
let connection = { name: 'connecting' };
let complete = false; // a full set has been seen
let changedAt = 0;

// --- the verdict and the figures

function renderVerdict() {
  const { status } = overview;
  const [mark, tone, word] = VERDICTS[status.verdict] ?? VERDICTS.unknown;
  attr(document.body, 'data-verdict', tone);
  attr(byId('verdict-icon'), 'href', `#i-${mark}`);
  text(byId('verdict-word'), word);
  text(byId('verdict-text'), sentence(visible(status.summary)));
  attr(byId('next'), 'data-empty', !status.next_command);
  text(byId('next-command'), visible(status.next_command));
  show(byId('network'), status.network);
  text(byId('network'), visible(status.network, 40));
  text(byId('version'), overview.version ? visible(overview.version, 40) : '');
  attr(byId('version'), 'title', `version of the node: ${visible(overview.version, 40)}`);
  time('uptime', overview.started_at, 'uptime');
  time('started', overview.started_at, 'clock');
  const passive = status.node.mode === 'passive';
  text(
    byId('listen'),
    passive ? 'nothing: it is passive' : visible(status.node.listen ?? 'unknown', 60),
  );
}

function time(id, at, as) {
  let node = byId(id).querySelector('time');
  if (!node) byId(id).replaceChildren((node = el('time')));
  moment(node, at, as);
}

function figure(name, big, sub, tone) {
  text(byId(`${name}-big`), big);
  text(byId(`${name}-sub`), sub);
  attr(byId(`${name}-big`).parentNode, 'data-tone', tone);
}

const passiveBecause = (node) => visible(node.passive_because || 'it was asked to be');
function renderMasternodes({ masternodes: mn, node }) {
  const of = count(mn.whitelisted);
  if (!known(mn.connected)) {
    text(byId('mn-more'), `passive, it opens no connection: ${passiveBecause(node)}`);
    return figure('mn', of, 'whitelisted', 'unknown');
  }
  const away = mn.whitelisted - mn.connected;
  const ailing = node.ailments?.[0] ? `this node: ${words(node.ailments[0].ailment)}` : '';
  text(byId('mn-more'), ailing);
  const sub =
    mn.whitelisted === 0
      ? 'the whitelist is empty'
      : away > 0
        ? `connected, ${count(away)} away`
        : 'connected, all of them';
  figure(
    'mn',
    `${count(mn.connected)} / ${of}`,
    sub,
    away > 0 || ailing || mn.whitelisted === 0
      ? away > 0 && mn.connected === 0
        ? 'bad'
        : 'warn'
      : 'good',
  );
}

const SYNC_TONES = {
  __proto__: null,
  in_sync: 'good',
  behind: 'warn',
  unproven: 'warn',
  unknown: 'unknown',
  other_branch: 'bad',
};
function renderChain({ sync }, chain) {
  show(byId('chain-more'), chain.tip_at);
  if (chain.tip_at) moment(byId('tip'), chain.tip_at, 'age');
  if (!known(chain.height))
    return figure('chain', 'no chain', 'there is no verified chain here', 'unknown');
  const tone = SYNC_TONES[sync.verdict] ?? 'unknown';
  const believed = known(chain.best_height);
  const short = believed ? words(sync.verdict) : 'no height is believed yet';
  const more = [visible(overview.sync_sentence || short)];
  if (chain.activity === 'syncing') {
    more.push(
      known(chain.blocks_per_minute)
        ? `${count(chain.blocks_per_minute)} blocks a minute`
        : 'syncing',
    );
    if (known(chain.eta_seconds)) more.push(`done in about ${duration(chain.eta_seconds)}`);
  } else if (chain.activity !== 'idle') {
    more.push(
      words(chain.activity) +
        (chain.activity_because ? `: ${visible(chain.activity_because)}` : ''),
    );
  }
  if (chain.forks > 0) more.push(`${several(chain.forks, 'open fork')}`);
  if (chain.network_stalled) more.push('the whole network stands still');
  // Further off than the node counts as level: the clock tells another story than the chain.
  const off = Math.abs(chain.expected_height - (believed ? chain.best_height : chain.height));
  if (off > chain.in_sync_blocks)
    more.push(`by the clock it would be ${count(chain.expected_height)}`);
  const doubt = chain.forks > 0 || chain.network_stalled;
  figure('chain', count(chain.height), more.join(' · '), doubt && tone === 'good' ? 'warn' : tone);
}

function renderSlots({ slots }) {
  const bar = byId('slots-bar');
  if (!slots) {
    bar.replaceChildren();
    return figure('slots', 'unknown', '', 'unknown');
  }
  const full = slots.total >= slots.total_max;
  figure(
    'slots',
    `${count(slots.total)} / ${count(slots.total_max)}`,
    `${count(slots.masternode)} of ${count(slots.masternode_reserved)} for masternodes`,
    full ? 'warn' : 'good',
  );
  text(
    byId('slots-more'),
    `${count(slots.regular)} of ${count(slots.regular_max)} regular · ${count(slots.inbound)} in, ${count(slots.outbound)} out`,
  );
  attr(bar, 'viewBox', `0 0 ${Math.max(1, slots.total_max)} 8`);
  attr(bar, 'preserveAspectRatio', 'none');
  attr(
    bar,
    'aria-label',
    `${several(slots.masternode, 'masternode')} and ${count(slots.regular)} regular peers in ${count(slots.total_max)} slots`,
  );
  const part = (look, x, width) =>
    svg('rect', { class: look, x, y: 0, width: Math.max(0, width), height: 8 });
  bar.replaceChildren(
    part('free', 0, slots.total_max),
    part('reserved', 0, slots.masternode_reserved),
    part('mine', 0, slots.masternode),
    part('regular', Math.max(slots.masternode_reserved, slots.masternode), slots.regular),
  );
}

function renderPeers({ peers, clock: offset, clock_level: level }) {
  let said = 'clock not compared: too few peers';
  if (known(offset.ahead_seconds)) {
    const off = offset.ahead_seconds;
    said = level
      ? `clock level with ${several(offset.peers, 'peer')}`
      : `clock ${decimal(Math.abs(off))} s ${off > 0 ? 'ahead of' : 'behind'} ${several(offset.peers, 'peer')}`;
  }
  figure(
    'peers',
    `${count(peers.connected)} connected`,
    `${several(peers.known, 'peer')} known · ${count(peers.banned)} banned`,
    'none',
  );
  text(byId('peers-more'), said);
}

// --- live, or not

function renderConnection() {
  const { name, since, retryAt, status } = connection;
  attr(
    document.body,
    'data-live',
    complete || name === 'no_key' ? name : name === 'lost' ? 'absent' : name,
  );
  show(byId('no-key'), name === 'no_key');
  const left = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  const again = left > 0 ? ` Trying again in ${left} s.` : ' Trying again now.';
  const said = {
    connecting: 'Connecting to the node.',
    live: `Live. Last change ${clock(changedAt)}.`,
    // 503: it serves as many dashboards as it may.
    lost:
      complete && since
        ? `Not live since ${clock(since)}: the figures below are old.`
        : status
          ? `The node refuses with the status ${status}.`
          : 'The node does not answer.',
    no_key: 'The node does not know this browser.',
  }[name];
  text(byId('live'), said + (name === 'lost' ? again : ''));
  text(
    byId('pill'),
    { connecting: 'connecting', live: 'live', lost: 'not live', no_key: 'no key' }[name],
  );
  const stale = name !== 'live';
  if (stale && complete && overview)
    text(
      byId('verdict-word'),
      `${(VERDICTS[overview.status.verdict] ?? VERDICTS.unknown)[2]}, when last heard`,
    );
  renderTab(stale);
}

// The tab tells it too, when it is in the background.
function renderTab(stale) {
  const verdict = overview
    ? VERDICTS[overview.status.verdict]
      ? overview.status.verdict
      : 'unknown'
    : 'unknown';
  const [, , word, sign] = VERDICTS[verdict];
  const network = overview ? ` · ${visible(overview.status.network, 40)}` : '';
  const title = !overview
    ? 'timectl'
    : stale
      ? `⚠ not live${network} · timectl`
      : `${sign} ${word}${network} · timectl`;
  if (document.title !== title) document.title = title;
  const file = stale || verdict === 'unknown' ? '/favicon.svg' : `/favicon-${verdict}.svg`;
  attr(document.querySelector('link[rel=icon]'), 'href', file);
}

// --- drawing

function render() {
  if (overviewDirty && overview) {
    renderVerdict();
    renderMasternodes(overview.status);
    renderChain(overview.status, overview.chain);
    renderSlots(overview.status);
    renderPeers(overview);
    overviewDirty = false;
  }
  masternodes.render();
  lists.render();
  renderConnection();
}

let timer = 0;
let drawnAt = 0;
function soon() {
  if (timer || !complete) return;
  timer = setTimeout(
    () => {
      timer = 0;
      drawnAt = Date.now();
      render();
    },
    Math.max(0, drawnAt + LEAST_GAP - Date.now()),
  );
}

const KINDS = {
  __proto__: null,
  masternode: { put: masternodes.put, drop: masternodes.drop },
  alert: { put: lists.putAlert, drop: lists.dropAlert },
  event: { put: lists.putEvent, drop: lists.dropEvent },
};
function put(key, value) {
  changedAt = Date.now();
  if (key === 'status') {
    overview = value;
    overviewDirty = true;
    masternodes.setLeftOut(value.masternodes_left_out ?? 0);
    const { node } = value.status;
    masternodes.setPassive(node.mode === 'passive' ? passiveBecause(node) : '');
    charts.setNode(value);
    lists.setAlertTotals(value.alert_counts, value.alerts_left_out ?? 0);
  } else if (key === 'history') {
    masternodes.setHistory(value);
    if (complete) charts.setHistory(value);
    else history = value;
  } else {
    const slash = key.indexOf('/');
    KINDS[key.slice(0, slash)]?.put(key.slice(slash + 1), value);
  }
  soon();
}
function drop(key) {
  changedAt = Date.now();
  const slash = key.indexOf('/');
  KINDS[key.slice(0, slash)]?.drop(key.slice(slash + 1));
  soon();
}

let history = null;
const stream = new Stream({
  put,
  drop,
  ready() {
    if (!complete) {
      complete = true;
      masternodes.setLoaded();
      lists.setLoaded();
      render();
      attr(document.body, 'data-ready', true);
      if (history) charts.setHistory(history);
    }
    soon();
  },
  state(name, about) {
    connection = { name, ...about };
    overviewDirty = true;
    if (complete) render();
    else renderConnection();
  },
});

// --- keys

function go(id) {
  byId(id).focus({ preventScroll: true });
  byId(id).scrollIntoView({ block: 'start' });
}
const KEYS = {
  '?': () => byId('help').showModal(),
  '/': () => go('filter'),
  v: () => go('verdict'),
  a: () => go('alerts'),
  m: () => go('masternodes'),
  c: () => go('charts'),
  e: () => go('events'),
  p: () => lists.togglePause(),
};
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return;
  const field = event.target.closest?.('input, select, textarea');
  if (field && event.key === 'Escape' && field.id === 'filter') {
    field.value = '';
    field.dispatchEvent(new Event('input'));
    return field.blur();
  }
  if (field || !Object.hasOwn(KEYS, event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
}

masternodes.start();
lists.start();
charts.start();
text(byId('zone'), zone());
byId('help-open').addEventListener('click', KEYS['?']);
document.addEventListener('keydown', onKey);
setInterval(() => {
  // What is old does not grow older before one's eyes: a node that is gone has no uptime.
  if (connection.name === 'live') tick();
  if (connection.name === 'lost') renderConnection();
}, 1000);
stream.start();
