// The charts of the last 24 hours, as SVG: lines that break where no node ran, axes with round
// numbers and round local hours, one step read by pointer or by the arrow keys.

import { attr, byId, el, show, svg, text } from './dom.js';
import { clock, count, decimal, hourMinute, known, several } from './text.js';

const HEIGHT = 132;
const TOP = 8;
const BOTTOM = 20;
const RIGHT = 6;
const LETTER = 7; // px, of the axis' type

const CHARTS = [
  {
    id: 'chart-connected',
    title: 'Masternodes connected',
    whole: true,
    fromZero: true,
    series: [
      { key: 'whitelisted', name: 'whitelisted', look: 'goal' },
      { key: 'connected_mean', name: 'connected', look: 'area good' },
    ],
    dip: ['connected_min', 'connected_mean'],
    say(p, i) {
      if (isPassive(i)) return 'the node runs passive: it opens no connection';
      if (p.whitelisted === 0) return 'nobody was whitelisted';
      const said = `${mean(p.connected_mean)} of ${count(p.whitelisted)} connected`;
      if (!known(p.connected_min) || p.connected_min >= p.connected_mean) return said;
      return hasStart(i)
        ? `${said}, the node started in this step`
        : `${said}, at times ${count(p.connected_min)}`;
    },
  },
  {
    id: 'chart-lag',
    title: 'Blocks behind',
    whole: true,
    fromZero: true,
    series: [{ key: 'lag_max', name: 'most in a step', look: 'area warn' }],
    say: (p) => (p.lag_max === 0 ? 'level' : `${several(p.lag_max, 'block')} behind`),
  },
  {
    id: 'chart-height',
    title: 'Height',
    whole: true,
    fromZero: false,
    series: [
      { key: 'best_height', name: 'believed', look: 'goal' },
      { key: 'height', name: 'ours', look: 'line' },
    ],
    say: (p) =>
      `${count(p.height)}${known(p.best_height) && p.best_height !== p.height ? ` of ${count(p.best_height)}` : ''}`,
  },
];
const mean = (value) => decimal(value, Number.isInteger(value) ? 0 : 1);

let points = [];
let step = 900_000;
let startedAt = NaN; // of the node that runs now
let passive = false;
const drawn = new Map(); // id: {chart, figure, picture, said, at, xs}

export function setHistory(history) {
  points = history?.node ?? [];
  step = (history?.step_seconds || 900) * 1000;
  const any = points.some((p) =>
    CHARTS.some((chart) => chart.series.some(({ key }) => known(p[key]))),
  );
  show(byId('charts-none'), !any);
  show(byId('charts-legend'), any);
  for (const each of drawn.values()) {
    show(each.figure, any);
    if (any) draw(each);
  }
}

export function setNode({ started_at: at, status }) {
  startedAt = Date.parse(at ?? '');
  passive = status.node.mode === 'passive';
}
const ran = (i) => CHARTS.some((chart) => points[i] && hasAny(chart, points[i]));
// A node that has only begun has nobody yet: the fewest of such a step are no loss.
function hasStart(i) {
  const from = Date.parse(points[i].at);
  return (i > 0 && !ran(i - 1)) || (startedAt >= from && startedAt < from + step);
}
const isPassive = (i) => passive && Date.parse(points[i].at) + step > startedAt;

// 1, 2 or 5 times a power of ten; about `wanted` of them over the span.
function niceStep(span, wanted, whole) {
  const raw = Math.max(span / wanted, 1e-9);
  const power = 10 ** Math.floor(Math.log10(raw));
  const nice = [1, 2, 5, 10].map((m) => m * power).find((m) => m >= raw * 0.999);
  return whole ? Math.max(1, Math.ceil(nice)) : nice;
}

function valueAxis(chart) {
  const values = chart.series.flatMap(({ key }) => points.map((p) => p[key])).filter(known);
  const low = chart.fromZero ? 0 : Math.min(...values);
  const high = Math.max(...values, low + 1) + (chart.fromZero ? 0 : 1);
  const each = niceStep(high - low, 3, chart.whole);
  const ticks = [];
  for (let at = Math.ceil(low / each) * each; at <= high; at += each) ticks.push(at);
  return { low, high, ticks };
}

// Local hours that divide the day.
function hourTicks(from, to, width) {
  const every = [1, 2, 3, 4, 6, 12, 24].find((h) => ((to - from) / 3.6e6 / h) * 52 <= width) ?? 24;
  const first = new Date(from);
  first.setMinutes(0, 0, 0);
  const out = [];
  for (let at = first.getTime(); at <= to; at += 3.6e6) {
    if (at >= from && new Date(at).getHours() % every === 0) out.push(at);
  }
  return out;
}

// Runs of known values; each is drawn by itself, so that a gap stays a gap.
function runs(key) {
  const out = [];
  points.forEach((p, i) => {
    if (!known(p[key])) return;
    const last = out.at(-1);
    if (last && last.at(-1).i === i - 1) last.push({ i, value: p[key] });
    else out.push([{ i, value: p[key] }]);
  });
  return out;
}

function draw(each) {
  const { chart, figure, picture } = each;
  const width = Math.max(200, Math.floor(figure.clientWidth));
  const { low, high, ticks } = valueAxis(chart);
  const left = Math.max(...ticks.map((at) => count(at).length)) * LETTER + 8;
  const from = Date.parse(points[0].at);
  const to = from + points.length * step;
  const x = (ms) => left + ((ms - from) / (to - from)) * (width - left - RIGHT);
  const y = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const side = (i) => x(from + i * step);
  const f = (n) => n.toFixed(1);
  each.side = side;
  attr(picture, 'viewBox', `0 0 ${width} ${HEIGHT}`);
  attr(picture, 'width', width);
  attr(picture, 'height', HEIGHT);

  const parts = [];
  const band = (look, is) => {
    let d = '';
    points.forEach((p, i) => {
      if (is(p, i)) d += `M${f(side(i))} ${TOP}H${f(side(i + 1))}V${HEIGHT - BOTTOM}H${f(side(i))}z`;
    });
    if (d) parts.push(svg('path', { class: look, d }));
  };
  band('gap', (p, i) => !ran(i));
  band('own', (p) => p.own_outage_seconds > 0);
  for (const at of ticks) {
    parts.push(
      svg('path', { class: 'grid', d: `M${left} ${f(y(at))}H${width - RIGHT}` }),
      svg('text', { class: 'axis', x: left - 6, y: f(y(at) + 4), 'text-anchor': 'end' }, count(at)),
    );
  }
  for (const at of hourTicks(from, to, width - left)) {
    parts.push(svg('path', { class: 'base', d: `M${f(x(at))} ${HEIGHT - BOTTOM}v4` }));
    if (x(at) < left + 10 || x(at) > width - RIGHT - 14) continue; // it would be cut
    parts.push(
      svg(
        'text',
        { class: 'axis', x: f(x(at)), y: HEIGHT - 4, 'text-anchor': 'middle' },
        hourMinute(at),
      ),
    );
  }
  for (const { key, look } of chart.series) {
    const area = look.startsWith('area');
    let line = '';
    let fill = '';
    for (const run of runs(key)) {
      // Each step is level: what is shown is what was measured, not what lies between.
      const path = run
        .map(({ i, value }, n) => `${n ? 'V' : `M${f(side(i))} `}${f(y(value))}H${f(side(i + 1))}`)
        .join('');
      line += path;
      fill += `${path}V${f(y(low))}H${f(side(run[0].i))}z`;
    }
    if (area) parts.push(svg('path', { class: `fill ${look}`, d: fill }));
    parts.push(svg('path', { class: `trace ${look}`, d: line }));
  }
  if (chart.dip) {
    const [least, most] = chart.dip;
    const d = { dip: '', 'dip start': '' };
    points.forEach((p, i) => {
      if (known(p[least]) && p[least] < p[most])
        d[hasStart(i) ? 'dip start' : 'dip'] +=
          `M${f(side(i))} ${f(y(p[most]))}H${f(side(i + 1))}V${f(y(p[least]))}H${f(side(i))}z`;
    });
    for (const [look, path] of Object.entries(d))
      if (path) parts.push(svg('path', { class: look, d: path }));
  }
  parts.push(svg('path', { class: 'base', d: `M${left} ${HEIGHT - BOTTOM}H${width - RIGHT}` }));
  each.cursor = svg('path', { class: 'cursor', d: '' });
  picture.replaceChildren(...parts, each.cursor);
  read(each, each.at);
  attr(
    picture,
    'aria-label',
    `${chart.title}, last 24 hours. Now: ${nowWords(chart)}. Arrow keys read the steps.`,
  );
}

const hasAny = (chart, p) => chart.series.some(({ key }) => known(p[key]));
function words(chart, i) {
  if (!ran(i)) return 'no node ran';
  return hasAny(chart, points[i]) ? chart.say(points[i], i) : 'unknown';
}
function nowWords(chart) {
  const last = points.findLastIndex((_, i) => ran(i));
  return last < 0 ? 'no history yet' : words(chart, last);
}

// Shows one step in words; without one the newest in which a node ran.
function read(each, at) {
  each.at = at;
  const p = points[at];
  if (!p) {
    attr(each.cursor, 'd', '');
    return text(each.said, nowWords(each.chart));
  }
  const middle = (each.side(at) + each.side(at + 1)) / 2;
  attr(each.cursor, 'd', `M${middle.toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}`);
  text(
    each.said,
    `${clock(Date.parse(p.at)).replace(/:00$/, '')} · ${words(each.chart, at)}`,
  );
}

function listen(each) {
  const { picture } = each;
  const at = (event) => {
    const px = event.clientX - picture.getBoundingClientRect().left;
    return points.findIndex((_, i) => px < each.side(i + 1));
  };
  picture.addEventListener('pointermove', (event) => points.length && read(each, at(event)));
  picture.addEventListener('pointerleave', () => points.length && read(each, undefined));
  picture.addEventListener('blur', () => points.length && read(each, undefined));
  picture.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -points.length, End: points.length }[
      event.key
    ];
    if (!move || points.length === 0) return;
    event.preventDefault();
    const now = each.at ?? points.length;
    read(each, Math.min(points.length - 1, Math.max(0, now + move)));
  });
}

export function start() {
  for (const chart of CHARTS) {
    const figure = byId(chart.id);
    const said = el('span', { class: 'said', 'aria-live': 'polite' });
    const picture = svg('svg', { class: 'chart', role: 'img', tabindex: '0' });
    const key = el('span', { class: 'key' });
    if (chart.series.length > 1) {
      for (const { name, look } of chart.series)
        key.append(el('i', { class: `k ${look}` }), ` ${name} `);
    }
    if (chart.dip) key.append(el('i', { class: 'k bad' }), ' fewest within a step');
    figure.append(el('figcaption', {}, el('h3', {}, chart.title), said), picture, key);
    const each = { chart, figure, picture, said, at: undefined };
    drawn.set(chart.id, each);
    show(figure, false);
    listen(each);
  }
  let frame = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      for (const each of drawn.values()) if (!each.figure.hidden && points.length) draw(each);
    });
  }).observe(byId('charts'));
}
