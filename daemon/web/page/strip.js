// The last 24 hours of one masternode as a strip of bars: the colour is how much of the step it was
// connected, the height is its score. And the same in words.

import { attr, svg, text } from './dom.js';
import { count, hourMinute, known, several } from './text.js';

const TALL = 24;
const LEAST = 5; // of a bar, so that a bad score is still seen

function stepTone(share) {
  if (!known(share)) return 'none';
  return share >= 0.999 ? 'good' : share > 0.001 ? 'warn' : 'bad';
}

// One path for each colour: 500 masternodes are 2,000 nodes, not 48,000.
export function drawStrip(node, strip, history) {
  const shares = strip?.connected ?? [];
  attr(node, 'viewBox', `0 0 ${Math.max(1, shares.length)} ${TALL}`);
  const said = stripWords(strip, history);
  attr(node, 'aria-label', said);
  text(node.firstChild, said);
  const paths = { good: '', warn: '', bad: '', none: '' };
  for (let i = 0; i < shares.length; ++i) {
    const tone = stepTone(shares[i]);
    const score = strip.score?.[i];
    let tall = tone === 'none' ? 2 : TALL;
    if (tone !== 'none' && tone !== 'bad' && known(score))
      tall = LEAST + ((TALL - LEAST) * Math.min(100, Math.max(0, score))) / 100;
    paths[tone] += `M${i} ${TALL}v${-tall.toFixed(1)}h.82v${tall.toFixed(1)}z`;
  }
  for (const [tone, d] of Object.entries(paths)) {
    let path = node.querySelector(`.${tone}`);
    if (!path && d) node.append((path = svg('path', { class: tone })));
    if (path) attr(path, 'd', d);
  }
}

function stripWords(strip, history) {
  const shares = strip?.connected ?? [];
  const seen = shares.filter(known);
  if (seen.length === 0) return 'Last 24 hours: not watched';
  const parts = [];
  const away = [];
  shares.forEach((share, i) => {
    if (!known(share) || share >= 0.999) return;
    const last = away.at(-1);
    if (last && last.to === i) last.to = i + 1;
    else away.push({ from: i, to: i + 1 });
  });
  const at = (i) => hourMinute(Date.parse(history.since) + i * history.step_seconds * 1000);
  if (away.length === 0) parts.push('connected all the time');
  else
    parts.push(
      `away in ${several(away.length, 'stretch').replace('stretchs', 'stretches')}: ${away
        .slice(0, 4)
        .map(({ from, to }) => `${at(from)} to ${at(to)}`)
        .join(', ')}${away.length > 4 ? ' and more' : ''}`,
    );
  if (seen.length < shares.length)
    parts.push(`not watched in ${shares.length - seen.length} of ${shares.length} steps`);
  const scores = (strip.score ?? []).filter(known);
  if (scores.length > 0) parts.push(`lowest score ${count(Math.min(...scores))}`);
  return `Last 24 hours: ${parts.join('; ')}`;
}
