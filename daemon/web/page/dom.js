// Small tools over the DOM. Texts are set by textContent alone; nothing is rendered anew that did
// not change.

import { clock, duration, nodeNow, ticking, utc } from './text.js';

const SVG = 'http://www.w3.org/2000/svg';
export const byId = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) attr(node, name, value);
  node.append(...children);
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) attr(node, name, value);
  node.append(...children);
  return node;
}

export function text(node, value) {
  const wanted = String(value);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function attr(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else {
    const wanted = value === true ? '' : String(value);
    if (node.getAttribute(name) !== wanted) node.setAttribute(name, wanted);
  }
}

export const show = (node, shown) => attr(node, 'hidden', !shown);

// Marks differ by shape, then by colour.
export function icon(name, tone) {
  return svg(
    'svg',
    { class: `icon tone-${tone}`, 'aria-hidden': 'true' },
    svg('use', { href: `#i-${name}` }),
  );
}
export function setIcon(node, name, tone) {
  attr(node, 'class', `icon tone-${tone}`);
  attr(node.firstChild, 'href', `#i-${name}`);
}

// Makes `parent` hold one node for each item, in this order; `nodes` (a Map) remembers them by key.
// A node that is in its place is not touched, so that focus and selection stay.
export function keep(parent, nodes, items, keyOf, make, update) {
  const wanted = new Set(items.map(keyOf));
  for (const [key, node] of nodes) {
    if (wanted.has(key)) continue;
    node.remove();
    nodes.delete(key);
  }
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = nodes.get(key);
    if (!node) {
      node = make(item);
      node.dataset.key = key;
      nodes.set(key, node);
    }
    update(node, item);
    if (node === next || (next && node === next.nextElementSibling)) {
      next = node.nextElementSibling; // the one before it, if any, has its turn later
    } else {
      parent.insertBefore(node, next);
    }
  }
}

// A <time> that shows its moment in the viewer's zone and UTC in its title. `as`: clock, age
// ("4 min"), until ("in 12 s") or uptime; those that depend on now are told by tick().
const SHOWN = {
  clock: (at) => clock(at),
  age: (at) => duration((nodeNow() - at) / 1000),
  uptime: (at) => ticking((nodeNow() - at) / 1000),
  until: (at) => {
    const left = (at - nodeNow()) / 1000;
    return left > 0 ? `in ${duration(Math.ceil(left))}` : 'now';
  },
};
export function moment(node, rfc3339, as) {
  const at = Date.parse(rfc3339 ?? '');
  if (Number.isNaN(at)) {
    attr(node, 'datetime', null);
    attr(node, 'title', null);
    return text(node, 'unknown');
  }
  attr(node, 'datetime', rfc3339);
  if (node.dataset.as !== as) node.dataset.as = as;
  const title = as === 'clock' ? utc(at) : `${clock(at)} (${utc(at)})`;
  attr(node, 'title', title);
  text(node, SHOWN[as](at));
}
export function tick() {
  for (const node of document.querySelectorAll('time[data-as]')) {
    const at = Date.parse(node.dateTime);
    if (!Number.isNaN(at)) text(node, SHOWN[node.dataset.as](at));
  }
}
