// Numbers, times and foreign texts as people read them. Pure, but for the clock of this device.

const ESCAPED = /[\p{C}\p{Zl}\p{Zp}\p{DI}]/gu;
// Not as a class: in Chromium 156 /[\u{1F468}]$/u matches nothing.
const PICTURE = /(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)$/u;
const MOST = 300; // characters of a foreign text that are shown

// A text that somebody else chose, made legible: what is invisible or turns the line round is shown
// as \u{NNNN}, marks do not pile up, and it has an end. Only ever given to textContent.
export function visible(text, most = MOST) {
  if (text === null || text === undefined) return '';
  const whole = String(text);
  const short = Array.from(whole.slice(0, 2 * most))
    .slice(0, most)
    .join('');
  const tail = short.length < whole.length ? '…' : '';
  const safe = short
    .replace(ESCAPED, (c, at, all) =>
      (c === '\u200D' || c === '\uFE0F') && PICTURE.test(all.slice(0, at))
        ? c
        : `\\u{${c.codePointAt(0).toString(16).toUpperCase()}}`,
    )
    .replace(/(\p{M}{3})\p{M}+/gu, '$1…');
  return safe.endsWith('…') ? safe : safe + tail;
}

export const words = (name) => visible(name, 60).replaceAll('_', ' ');
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
export const known = (value) => typeof value === 'number' && Number.isFinite(value);
export const count = (value) => (known(value) ? grouped.format(value) : '–');
export const several = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
export const decimal = (value, digits = 1) => (known(value) ? value.toFixed(digits) : '–');

const UNITS = [
  ['d', 86400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
];
// The two largest units: "3 d 4 h", "12 min 5 s".
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const first = UNITS.findIndex(([, size]) => whole >= size);
  if (first < 0) return '0 s';
  const [unit, size] = UNITS[first];
  let out = `${Math.floor(whole / size)} ${unit}`;
  if (first + 1 < UNITS.length) {
    const [smaller, step] = UNITS[first + 1];
    const rest = Math.floor((whole % size) / step);
    if (rest > 0) out += ` ${rest} ${smaller}`;
  }
  return out;
}

const two = (n) => String(n).padStart(2, '0');
// One that is seen to tick: "3 d 04:12:45".
export function ticking(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const clock = `${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return s >= 86400 ? `${Math.floor(s / 86400)} d ${clock}` : clock;
}

// The node's clock as far as it is known: a phone's own may be minutes off.
let ahead = 0;
const OFF = 3000; // ms; a Date header has whole seconds, and the answer took a moment
export function learnClock(date) {
  const at = Date.parse(date ?? '');
  if (Number.isNaN(at)) return;
  const off = at - Date.now();
  ahead = Math.abs(off) > OFF ? off : 0;
}
export const nodeNow = () => Date.now() + ahead;

const clockOf = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const shortOf = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const dayOf = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const yearOf = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});
export const hourMinute = (ms) => shortOf.format(ms);

// In the viewer's zone: the clock of today, or the day and the clock.
export function clock(ms) {
  const now = new Date(nodeNow());
  const at = new Date(ms);
  if (at.toDateString() === now.toDateString()) return clockOf.format(at);
  const day = at.getFullYear() === now.getFullYear() ? dayOf.format(at) : yearOf.format(at);
  return `${day}, ${shortOf.format(at)}`;
}

export const utc = (ms) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

export function zone() {
  const minutes = -new Date().getTimezoneOffset();
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone || 'local time';
  if (minutes === 0) return `Times are in ${name === 'UTC' ? 'UTC' : `${name} (UTC)`}.`;
  const hours = `${Math.floor(Math.abs(minutes) / 60)}${minutes % 60 ? `:${two(Math.abs(minutes) % 60)}` : ''}`;
  return `Times are in ${name} (UTC${minutes < 0 ? '−' : '+'}${hours}).`;
}
