// The page against a double of the node's web server: what it shows, how it changes, how it is used.
// What may harm it: strain_test.mjs. The same page from real nodes: node_test.mjs.

import assert from 'node:assert/strict';
import { ready, watched } from './browser.mjs';
import { contrasts } from './contrast.mjs';
import { POLICY } from './fake_server.mjs';
import { looked, row, shown, visibleRows, widest, within } from './shown_page.mjs';
import { AWAY, board, calmBoard, eventKey, masternode, status } from './state.mjs';
looked('ThePageSaysTheVerdictFirstAndShowsWhatTheNodeKnows', async ({ page }) => {
  assert.equal(await page.textContent('#verdict-word'), 'Degraded');
  assert.equal(await page.textContent('h1'), '1 of 12 whitelisted masternodes not connected');
  assert.equal(await page.textContent('#next-command'), 'timectl peer show 203.0.113.77');
  assert.match(await page.title(), /^▲ Degraded · testnet · timectl$/);
  assert.match(await page.getAttribute('link[rel=icon]', 'href'), /favicon-degraded\.svg$/);
  assert.match(await page.textContent('#uptime'), /^3 d 05:12:\d\d$/);
  assert.equal(await page.textContent('#mn-big'), '11 / 12');
  assert.equal(await page.textContent('#slots-big'), '37 / 125');
  assert.equal(await page.textContent('#slots-sub'), '11 of 50 for masternodes');
  assert.match(await page.textContent('#slots-more'), /21 in, 16 out/);
  assert.equal(await page.textContent('#chain-big'), '4,812');
  assert.equal(await page.locator('#rows tr').count(), 12);
  assert.deepEqual((await visibleRows(page)).slice(0, 3), [
    '203.0.113.77',
    '198.51.100.23',
    '203.0.113.142',
  ]);
  assert.equal(await page.locator('figure svg.chart').count(), 3);
  assert.equal(await page.locator('#event-list li').count(), 16);
  assert.match(
    await page.textContent('#event-list li >> nth=0'),
    /dial scheduled sao-paulo-1 203\.0\.113\.77 in 60 s/,
  );
});

looked('AMasternodeThatIsAwaySaysWhyAndWhenItIsDialledAgain', async ({ page }) => {
  const away = page.locator(row('203.0.113.77'));
  const text = await away.innerText();
  assert.match(text, /after timed out: the gaps double up/);
  assert.match(text, /Next attempt in \d+ s · 9 attempts so far/);
  assert.equal(await away.locator('.c-rtt span').getAttribute('aria-label'), 'unknown');
  assert.match(
    await away.locator('.strip').getAttribute('aria-label'),
    /^Last 24 hours: away in 2 stretches: \d\d:\d\d to \d\d:\d\d, .*; not watched in 3 of 96 steps; lowest score \d+$/,
  );
  assert.equal(await page.locator(`${row('192.0.2.14')} .c-why`).isVisible(), false);
});

looked('TheGravestAlertStandsFirstAndWhatIsInHandIsMarked', async ({ page }) => {
  const texts = await page.locator('#alert-list li').allInnerTexts();
  assert.match(
    texts[0],
    /CRITICAL[\s\S]*sao-paulo-1 203\.0\.113\.77[\s\S]*for 22 min[\s\S]*timectl explain masternode_down[\s\S]*timectl alerts ack 57/i,
  );
  assert.match(texts[1], /acknowledged by marta/);
  assert.doesNotMatch(texts[1], /alerts ack/);
  assert.match(texts[2], /silenced until .* by marta: new time server/);
});

shown('AChangedValueIsSeenInTheSameRow', {}, async ({ fake, page }) => {
  await page.evaluate((selector) => {
    document.querySelector(selector).mark = 'the same';
  }, row('192.0.2.14'));
  const value = fake.board.get('masternode/192.0.2.14');
  const put = performance.now();
  fake.put('masternode/192.0.2.14', { ...value, rtt_ms: 777, missed_pongs: 4 });
  await within(
    page,
    (selector) => document.querySelector(`${selector} .c-rtt`).textContent === '777 ms',
    row('192.0.2.14'),
  );
  console.log(`a changed value is seen after ${Math.round(performance.now() - put)} ms`);
  assert.equal(
    await page.evaluate((selector) => document.querySelector(selector).mark, row('192.0.2.14')),
    'the same',
  );
});

shown(
  'AMasternodeThatDiesTurnsTheVerdictAndTheTab',
  { board: calmBoard(Date.now()) },
  async ({ fake, page }) => {
    assert.equal(await page.textContent('#verdict-word'), 'OK');
    assert.equal(await page.isVisible('#alerts-none'), true);
    const now = Date.now();
    const rows = [...fake.board]
      .filter(([key]) => key.startsWith('masternode/'))
      .map(([, value]) => value);
    const ip = '192.0.2.201';
    const dead = rows.map((each) =>
      each.ip === ip ? { ...each, ...AWAY, last_end_reason: 'closed_by_peer' } : each,
    );
    fake.put(
      `masternode/${ip}`,
      dead.find((each) => each.ip === ip),
    );
    fake.put('status', status(now, dead));
    await within(
      page,
      () =>
        document.querySelector('#verdict-word').textContent === 'Degraded' &&
        document.title.startsWith('▲'),
    );
    assert.equal((await visibleRows(page))[0], ip);
    assert.equal(await page.textContent('#mn-big'), '9 / 10');
  },
);

shown('WhatGoesIsTakenAwayAndWhatComesStandsInItsPlace', {}, async ({ fake, page }) => {
  fake.drop('masternode/192.0.2.14');
  fake.drop('alert/clock_off/');
  fake.put('masternode/192.0.2.15', masternode(Date.now(), '192.0.2.15', 'new-one', { score: 1 }));
  fake.put(eventKey(17), {
    at: new Date().toISOString(),
    kind: 'whitelist_added',
    severity: 'notice',
    peer: '192.0.2.15',
    detail: 'manual',
  });
  await within(
    page,
    () =>
      document.querySelector('#rows tr[data-key="192.0.2.15"]') &&
      document.querySelector('#event-list li').textContent.includes('whitelist added'),
  );
  const rows = await visibleRows(page);
  assert.ok(!rows.includes('192.0.2.14'));
  assert.equal(rows.indexOf('192.0.2.15'), 2);
  assert.equal(await page.locator('#alert-list li').count(), 2);
});

shown('OnlyTheLastHundredEventsAreKept', {}, async ({ fake, page }) => {
  for (let n = 17; n < 150; ++n)
    fake.put(eventKey(n), {
      at: new Date().toISOString(),
      kind: 'promoted',
      severity: 'info',
      peer: '192.0.2.1',
      detail: `number ${n}`,
    });
  await within(page, () =>
    document.querySelector('#event-list li').textContent.includes('number 149'),
  );
  assert.equal(await page.locator('#event-list li').count(), 100);
});

shown('PausedEventsWaitAndAreCounted', {}, async ({ fake, page }) => {
  await page.keyboard.press('p');
  fake.put(eventKey(17), {
    at: new Date().toISOString(),
    kind: 'promoted',
    severity: 'info',
    peer: '192.0.2.1',
    detail: 'while it is paused',
  });
  await within(page, () => document.querySelector('#pause').textContent === 'Go on (1 new)');
  assert.doesNotMatch(await page.textContent('#event-list'), /while it is paused/);
  await page.keyboard.press('p');
  assert.match(await page.textContent('#event-list li'), /while it is paused/);
  await page.selectOption('#events-from', 'warning');
  assert.equal(await page.locator('#event-list li').count(), 4);
});

shown('ALostConnectionIsSaidAndComesBackByItself', { errors: true }, async ({ fake, page }) => {
  fake.refuse = 503;
  fake.cut();
  await within(page, () => document.body.dataset.live === 'lost');
  assert.match(
    await page.textContent('#live'),
    /^Not live since \d\d:\d\d:\d\d: the figures below are old\. Trying again/,
  );
  assert.equal(await page.textContent('#pill'), 'not live');
  assert.match(await page.title(), /^⚠ not live/);
  assert.equal(await page.textContent('#verdict-word'), 'Degraded, when last heard');
  assert.equal(await page.locator('#rows tr').count(), 12);
  fake.board.delete('masternode/192.0.2.14'); // while nobody looked
  fake.refuse = 0;
  await ready(page);
  await within(page, () => document.querySelectorAll('#rows tr').length === 11);
  assert.match(await page.textContent('#live'), /^Live\./);
  assert.equal(await page.textContent('#verdict-word'), 'Degraded');
});

// The server sends the whole board on each connection, and no drop for what went meanwhile.
shown('AReconnectReplacesTheBoardInOneStepWithoutAFlicker', { errors: true }, async (stage) => {
  const { fake, page } = stage;
  await page.evaluate((selector) => {
    document.querySelector(selector).mark = 'the same';
    globalThis.seen = { rows: new Set(), alerts: new Set(), figures: new Set(), gone: [] };
    const note = (changes) => {
      const { seen } = globalThis;
      seen.rows.add(document.querySelectorAll('#rows tr').length);
      seen.alerts.add(document.querySelectorAll('#alert-list li').length);
      seen.figures.add(document.querySelector('#mn-big').textContent);
      for (const change of changes)
        for (const node of change.removedNodes)
          if (node.dataset?.key) seen.gone.push(node.dataset.key);
    };
    const all = { childList: true, subtree: true, characterData: true };
    new MutationObserver(note).observe(document.querySelector('#main'), all);
  }, row('192.0.2.14'));
  fake.board.delete('masternode/192.0.2.87');
  fake.board.delete('alert/clock_off/');
  const first = fake.board.get('status');
  fake.board.set('status', {
    ...first,
    status: { ...first.status, masternodes: { whitelisted: 11, connected: 10 } },
  });
  const renamed = { ...fake.board.get('masternode/192.0.2.201'), label: 'renamed' };
  fake.board.set('masternode/192.0.2.201', renamed);
  fake.cut();
  await within(page, () => document.querySelector('#rows').textContent.includes('renamed'));
  await within(page, () => document.querySelectorAll('#alert-list li').length === 2);
  const seen = await page.evaluate(() => {
    const { rows, alerts, figures, gone } = globalThis.seen;
    return { rows: [...rows], alerts: [...alerts], figures: [...figures], gone };
  });
  // Never fewer than there are now, nothing taken away that came back, no figure in between.
  assert.deepEqual(seen.gone.sort(), ['192.0.2.87', 'clock_off/']);
  assert.deepEqual(seen.rows, [12, 11]);
  assert.deepEqual(seen.alerts.sort(), [2, 3]);
  assert.deepEqual(seen.figures, ['11 / 12', '10 / 11']);
  assert.equal(
    await page.evaluate((selector) => document.querySelector(selector).mark, row('192.0.2.14')),
    'the same',
  );
  assert.equal(await page.getAttribute('body', 'data-live'), 'live');
});

shown(
  'AConnectionThatFellSilentIsNotTakenForALiveOne',
  { errors: true, context: {}, before: (fake, page) => page.clock.install() },
  async ({ fake, page }) => {
    fake.refuse = 503;
    await page.clock.runFor(30_000);
    assert.equal(await page.getAttribute('body', 'data-live'), 'live');
    await page.clock.runFor(12_000);
    await within(page, () => document.body.dataset.live === 'lost');
  },
);

shown(
  'WithoutAKeyThePageTellsHowToGetTheLink',
  {
    unready: true,
    before: (fake) => {
      fake.refuse = 401;
    },
  },
  async ({ page }) => {
    await page.waitForSelector('#no-key:visible', { timeout: 2000 });
    assert.match(await page.innerText('#no-key'), /timectl node info/);
    assert.equal(await page.isVisible('#masternodes'), false);
  },
);

shown('EverythingIsReachedByTheKeyboard', {}, async ({ page }) => {
  await page.keyboard.press('Tab');
  assert.equal(
    await page.evaluate(() => document.activeElement.textContent),
    'Skip to the verdict',
  );
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'masternodes');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'filter');
  assert.notEqual(
    await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle),
    'none',
  );
  await page.keyboard.type('frankfurt out'); // an "out" is in no name, so nothing is left
  assert.equal(await page.textContent('#masternodes-none'), 'No masternode matches the filter.');
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  await page.keyboard.type('FRANKFURT');
  assert.deepEqual(await visibleRows(page), ['198.51.100.23', '192.0.2.14']);
  assert.equal(await page.textContent('#masternodes-count'), '2 of 12');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#rows tr').count(), 12);

  await page.focus('th[data-key=rtt] button');
  await page.keyboard.press('Enter');
  assert.equal(await page.getAttribute('th[data-key=rtt]', 'aria-sort'), 'descending');
  assert.equal((await visibleRows(page))[0], '203.0.113.142');
  await page.keyboard.press('Enter');
  assert.equal((await visibleRows(page))[0], '192.0.2.14');
  assert.equal((await visibleRows(page)).at(-1), '203.0.113.77'); // unknown stays last

  await page.keyboard.press('c');
  await page.keyboard.press('Tab');
  const before = await page.textContent('#chart-connected .said');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  assert.match(await page.textContent('#chart-connected .said'), /\d\d:\d\d · .* of 12 connected/);
  assert.notEqual(await page.textContent('#chart-connected .said'), before);

  await page.keyboard.press('?');
  assert.equal(await page.isVisible('#help'), true);
  await page.keyboard.press('Escape');
  assert.equal(await page.isVisible('#help'), false);
});

looked('AGapInTheHistoryIsAGapInTheLine', async ({ page }) => {
  for (const id of ['chart-connected', 'chart-lag', 'chart-height']) {
    const line = await page.locator(`#${id} .trace`).last().getAttribute('d');
    assert.equal(line.match(/M/g).length, 2, id);
    assert.equal((await page.locator(`#${id} path.gap`).getAttribute('d')).match(/M/g).length, 3);
    assert.match(await page.getAttribute(`#${id} svg`, 'aria-label'), /last 24 hours\. Now: /);
  }
});

shown(
  'APhoneNeedsNoHorizontalScroll',
  { size: { width: 360, height: 740 }, context: { hasTouch: true, isMobile: true } },
  async ({ page }) => {
    assert.ok((await widest(page)) <= 0);
    assert.ok(
      await page.evaluate(
        () => document.querySelector('#verdict').getBoundingClientRect().top < 100,
      ),
    );
    await page.selectOption('#sort', 'name');
    assert.equal((await visibleRows(page))[0], '198.51.100.190');
    assert.ok(
      await page.evaluate(() =>
        [...document.querySelectorAll('button, select, input')]
          .filter((each) => each.checkVisibility() && !each.closest('thead'))
          .every((each) => each.getBoundingClientRect().height >= 28),
      ),
    );
  },
);

looked('EveryTextIsLegibleInLightAndInDark', async ({ page }) => {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const found = await contrasts(page);
    assert.ok(found.count > 150, `${found.count} texts`);
    assert.deepEqual(found.low, [], colorScheme);
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(Number(ground.match(/\d+/)[0]) < 60, colorScheme === 'dark');
  }
});

looked('NothingJumpsWhileThePageFills', async ({ page }) => {
  const { paint, shift, own } = await page.evaluate(
    () =>
      new Promise((done) => {
        // The observer tells in order: once it tells of the jump that is made here, it has told of
        // all before it.
        const made = performance.now();
        const block = document.createElement('div');
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const { startTime, value } of list.getEntries()) {
            if (startTime < made) {
              sum += value;
              continue;
            }
            block.remove();
            const [painted] = performance.getEntriesByName('first-contentful-paint');
            done({ paint: painted.startTime, shift: sum, own: value });
          }
        }).observe({ type: 'layout-shift', buffered: true });
        block.style.height = '300px';
        document.body.prepend(block);
      }),
  );
  console.log(`first contentful paint: ${Math.round(paint)} ms; layout shift: ${shift.toFixed(3)}`);
  assert.ok(own > 0.05, `a jump is seen: ${own}`);
  assert.ok(shift < 0.05, `layout shift ${shift}`);
});

// The last one: it breaks what the others must find whole.
looked('ThePolicyIsStrictAndABreachOfItIsSeen', async ({ fake, page, noted, answer }) => {
  assert.equal(answer.headers()['content-security-policy'], POLICY);
  const before = await watched(page, noted, fake.url);
  assert.deepEqual(before, { errors: [], elsewhere: [], violations: [] });
  await page.evaluate(() => {
    const image = document.createElement('img');
    image.src = 'http://127.0.0.9:1/x.png';
    document.body.append(image);
  });
  await page.waitForFunction(() => globalThis.violations.length > 0);
  const seen = await watched(page, noted, fake.url);
  assert.match(seen.violations[0], /img-src http:\/\/127\.0\.0\.9/);
  assert.ok(seen.errors.length > 0);
});
