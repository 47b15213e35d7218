// What a node may send that is meant to harm the page, that the page does not know, or that is much.

import assert from 'node:assert/strict';
import { looked, row, shown, widest, within } from './shown_page.mjs';
import { AWAY, board, eventKey, masternode } from './state.mjs';

const HOSTILE = [
  '<img src=x onerror="globalThis.pwned=1"><script>globalThis.pwned=1</script>',
  '"><svg onload=globalThis.pwned=1>{{constructor.constructor("pwned=1")()}}',
  '\u202Egnp.exe\u2066\u200B\u00AD\u0007\u001B[31m\uFEFF\u{E0041}',
  `a${'\u0301'.repeat(400)}`,
  'W'.repeat(20_000),
  '\u05E9\u05DC\u05D5\u05DD \u{1F468}\u200D\u{1F469}\u200D\u{1F467} 🚀 \uD800',
];
function hostileBoard() {
  const now = Date.now();
  const out = board(now);
  HOSTILE.forEach((text, i) => {
    const ip = `203.0.113.${200 + i}`;
    out.set(
      `masternode/${ip}`,
      masternode(now, ip, text, {
        ...AWAY,
        score: 0,
        state: i ? 'backoff' : text,
        last_end_reason: text,
        next_attempt_reason: text,
      }),
    );
    out.set(`alert/masternode_down/${ip}`, {
      id: i,
      rule: text,
      object: ip,
      severity: i ? 'critical' : text,
      state: 'firing',
      text,
      since: text,
      acked_by: text,
      silenced_until: '2030-01-01T00:00:00Z',
      silenced_by: text,
      silenced_because: text,
      deliveries: [{ sink: text, state: text }],
    });
    out.set(eventKey(100 + i), {
      at: text,
      kind: i ? 'violation' : text,
      severity: 'warning',
      peer: ip,
      reason: text,
      detail: text,
    });
  });
  const first = out.get('status');
  first.status.summary = HOSTILE.join(' ');
  first.status.network = HOSTILE[0];
  first.version = HOSTILE[4];
  first.status.next_command = HOSTILE[2];
  return out;
}
for (const width of [360, 1440]) {
  shown(
    `HostileTextsAreHarmlessAndLegibleAt${width}Pixels`,
    { board: hostileBoard(), size: { width, height: 740 } },
    async ({ page }) => {
      assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
      assert.equal(await page.locator('img, iframe, script:not([src])').count(), 0);
      assert.match(
        await page.textContent(`${row('203.0.113.200')} .c-name b`),
        /^<img src=x onerror="globalThis\.pwned=1"><script>/,
      );
      assert.equal(
        await page.textContent(`${row('203.0.113.202')} .c-name b`),
        '\\u{202E}gnp.exe\\u{2066}\\u{200B}\\u{AD}\\u{7}\\u{1B}[31m\\u{FEFF}\\u{E0041}',
      );
      assert.equal(
        await page.textContent(`${row('203.0.113.203')} .c-name b`),
        'a\u0301\u0301\u0301…',
      );
      assert.match(await page.textContent(`${row('203.0.113.204')} .c-name b`), /^W{80}…$/);
      assert.equal(
        await page.textContent(`${row('203.0.113.205')} .c-name b`),
        '\u05E9\u05DC\u05D5\u05DD \u{1F468}\u200D\u{1F469}\u200D\u{1F467} 🚀 \\u{D800}',
      );
      assert.ok((await widest(page)) <= 0, 'no horizontal scroll');
      assert.equal(await page.isVisible('#help-open'), true);
    },
  );
}

shown('AStrangeOrNewerBoardDoesNotStopThePage', {}, async ({ fake, page }) => {
  for (const key of ['new_kind/1', 'nothing', '', '__proto__/x', 'constructor/x'])
    fake.put(key, { a: 1 });
  const strange = structuredClone(fake.board.get('status'));
  strange.status.verdict = strange.status.sync.verdict = 'constructor';
  fake.put('status', strange);
  for (const stream of fake.streams)
    stream.write('event: later\ndata: {"x":1}\n\n: a comment\n\ndata: no event\n\n');
  fake.put(
    'masternode/192.0.2.14',
    masternode(Date.now(), '192.0.2.14', 'frankfurt-1', { state: 'a_new_state' }),
  );
  await within(page, () =>
    document.querySelector('#rows tr[data-key="192.0.2.14"]').textContent.includes('a new state'),
  );
  for (const stream of fake.streams)
    stream.write('event: put\r\ndata: {"key":"masternode/192.0.2.14","value":{"broken\r\n\r\n');
  fake.board.set('masternode/192.0.2.14', masternode(Date.now(), '192.0.2.14', 'whole-again'));
  await page.waitForFunction(
    () => document.querySelector('#rows').textContent.includes('whole-again'),
    null,
    { timeout: 3000 },
  );
});

looked('RowsFollowAnyOrderAndStayTheSameNodes', async ({ page }) => {
  const bad = await page.evaluate(async () => {
    const { keep } = await import('/dom.js');
    let seed = 1;
    const roll = (n) => (seed = (seed * 16807) % 2147483647) % n;
    const parent = document.createElement('ol');
    const nodes = new Map();
    const first = new Map();
    for (let turn = 0; turn < 500; ++turn) {
      const items = Array.from({ length: roll(12) }, () => roll(15)).filter(
        (item, i, all) => all.indexOf(item) === i,
      );
      keep(
        parent,
        nodes,
        items,
        String,
        (item) => {
          const node = document.createElement('li');
          node.textContent = item;
          return node;
        },
        () => {},
      );
      const seen = [...parent.children].map((node) => Number(node.textContent));
      if (seen.join() !== items.join()) return `${items} became ${seen}`;
      for (const item of items) {
        if (first.get(item)?.turn === turn - 1 && first.get(item).node !== nodes.get(String(item)))
          return `${item} was made anew`;
        first.set(item, { turn, node: nodes.get(String(item)) });
      }
    }
    return '';
  });
  assert.equal(bad, '');
});

shown('FiveHundredMasternodesChangeWithoutAStall', {}, async ({ fake, page }) => {
  const now = Date.now();
  const ips = Array.from({ length: 500 }, (_, i) => `198.18.${i >> 8}.${i & 255}`);
  await page.evaluate(() => {
    globalThis.longest = 0;
    new PerformanceObserver((list) =>
      list.getEntries().forEach((each) => {
        globalThis.longest = Math.max(globalThis.longest, each.duration);
      }),
    ).observe({ type: 'longtask' });
  });
  for (const ip of ips) fake.put(`masternode/${ip}`, masternode(now, ip, `node ${ip}`));
  await page.click('#rows-all', { timeout: 3000 });
  await page.waitForFunction(() => document.querySelectorAll('#rows tr').length === 512, null, {
    timeout: 3000,
  });
  for (let turn = 0; turn < 10; ++turn) {
    for (const ip of ips.slice(turn * 50, turn * 50 + 50))
      fake.put(`masternode/${ip}`, masternode(now, ip, `node ${ip}`, { rtt_ms: 500 + turn }));
    await page.waitForFunction(
      (text) => document.querySelector('#rows').textContent.includes(text),
      `${500 + turn} ms`,
      { timeout: 2000 },
    );
  }
  const longest = await page.evaluate(() => globalThis.longest);
  console.log(
    `500 masternodes, 500 changes: the longest task took ${longest ? Math.round(longest) : 'under 50'} ms`,
  );
  assert.ok(longest < 1000);
});
