// The list of alerts: its order, its folds, its end. The ordinary ones: page_test.mjs.

import assert from 'node:assert/strict';
import { shown, widest, within } from './shown_page.mjs';
import { LOST, lostBoard, manyRulesBoard } from './many_alerts.mjs';
import { alert, board } from './state.mjs';

const lines = (page) => page.locator('#alert-list > li').allInnerTexts();
const PHONE = {
  size: { width: 360, height: 740 },
  context: { hasTouch: true, isMobile: true, viewport: { width: 360, height: 740 } },
};

shown(
  'WhatFiresStandsBeforeAHundredGraverOnesThatArePending',
  { board: lostBoard(Date.now()) },
  async ({ page }) => {
    const [first, second, ...rest] = await lines(page);
    assert.match(first, /WARNING[\s\S]*The volume of the data has 1\.2 % left/i);
    assert.match(second, /CRITICAL[\s\S]*131 × masternode down[\s\S]*the first for \d+ s/i);
    assert.match(second, /pending[\s\S]*node-\d+, node-\d+, node-\d+ and 128 more/);
    assert.match(second, /timectl explain masternode_down/);
    assert.deepEqual(rest, []);
    assert.equal(await page.textContent('#alerts-count'), '1 warning · 131 pending');
  },
);

shown(
  'AFoldIsOpenedAndClosedAndStaysOpenWhileItsAlertsChange',
  { board: lostBoard(Date.now()) },
  async ({ fake, page }) => {
    const button = page.locator('#alert-list li[data-fold] button');
    assert.equal(await button.getAttribute('aria-expanded'), 'false');
    await button.focus();
    await page.keyboard.press('Enter');
    assert.equal(await button.getAttribute('aria-expanded'), 'true');
    assert.equal(await page.locator('#alert-list > li').count(), 2 + LOST);
    assert.match((await lines(page))[2], /Whitelisted peer 198\.18\.0\.\d+ is not connected/);
    fake.drop('alert/masternode_down/198.18.0.1');
    await within(page, () => document.querySelector('[data-fold]').textContent.includes('130 ×'));
    assert.equal(await page.locator('#alert-list > li').count(), 1 + LOST);
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Fold them');
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('#alert-list > li').count(), 2);
  },
);

shown('ThreeOfARuleStandByThemselvesAndFourAreFolded', {}, async ({ fake, page }) => {
  const put = (i, more) =>
    fake.put(
      `alert/masternode_lagging/192.0.2.${i}`,
      alert(Date.now(), 'masternode_lagging', `192.0.2.${i}`, 'notice', i, 'It lags', more),
    );
  for (const i of [1, 2, 3]) put(i);
  await within(page, () => document.querySelectorAll('#alert-list > li').length === 6);
  put(4, { acked_by: 'marta' }); // stands apart: somebody has it in hand
  await within(page, () => document.querySelectorAll('#alert-list > li').length === 7);
  assert.equal(await page.locator('[data-fold]').count(), 0);
  put(5, { deliveries: [{ sink: 'ops', state: 'failed', error: '503' }] });
  await within(page, () => document.querySelectorAll('#alert-list > li').length === 5);
  const fold = await page.innerText('[data-fold]');
  assert.match(fold, /4 × masternode lagging[\s\S]*the first for 5 min[\s\S]*1 not at ops/);
});

for (const { name, most, ...options } of [
  { name: 'AtMostTenLinesAreShownAndTheRestByAButton', most: 10 },
  { name: 'OnAPhoneAtMostThreeLinesAreShownAndTheRestByAButton', most: 3, ...PHONE },
]) {
  shown(name, { ...options, board: manyRulesBoard(Date.now(), 6) }, async ({ page }) => {
    assert.equal(await page.locator('#alert-list > li').count(), most);
    assert.equal(await page.textContent('#alerts-all'), `Show ${18 - most} more`);
    await page.click('#alerts-all');
    assert.equal(await page.locator('#alert-list > li').count(), 18);
    assert.equal(await page.textContent('#alerts-all'), 'Show fewer');
    await page.click('#alerts-all');
    assert.equal(await page.locator('#alert-list > li').count(), most);
  });
}

for (const [name, make] of [
  ['WithAHundredAlertsOfOneRuleTheMasternodesBeginWithinTwoScreensOfAPhone', lostBoard],
  [
    'WithManyAlertsOfManyRulesTheMasternodesBeginWithinTwoScreensOfAPhone',
    (now) => manyRulesBoard(now, 44),
  ],
]) {
  shown(name, { ...PHONE, board: make(Date.now()) }, async ({ page }) => {
    const row = await page.locator('#rows tr').first().boundingBox();
    console.log(`the first masternode begins ${Math.round(row.y)} px down a page of 740 px`);
    assert.ok(row.y < 2 * 740, `${row.y} px`);
    assert.ok((await widest(page)) <= 0);
  });
}

shown('AnAlertSaysWhichSinksDoNotHaveIt', {}, async ({ fake, page }) => {
  const key = 'alert/masternode_down/203.0.113.77';
  const deliveries = [
    { sink: 'log', state: 'delivered', error: '' },
    { sink: 'ops-mail', state: 'failed', error: '550 no such user' },
    { sink: 'pager', state: 'waiting', error: '' },
  ];
  fake.put(key, { ...fake.board.get(key), deliveries });
  await within(page, () => /not at/.test(document.querySelector('#alert-list').textContent));
  const [first] = await lines(page);
  assert.match(first, /not at ops-mail: failed/);
  assert.match(first, /not at pager: waiting/);
  assert.doesNotMatch(first, /not at log/);
  const tag = page.locator('#alert-list .tag', { hasText: 'ops-mail' });
  assert.equal(await tag.getAttribute('title'), '550 no such user');
});

shown('TheCountsOfTheAlertsAreTheNodes', {}, async ({ fake, page }) => {
  assert.equal(await page.textContent('#alerts-count'), '1 critical · 1 warning · 1 silenced');
  const value = structuredClone(board(Date.now()).get('status'));
  value.alert_counts = { critical: 700, error: 0, pending: 2, hidden: 1234, of_a_newer_node: 9 };
  value.alerts_left_out = 1934;
  fake.put('status', value);
  await within(page, () => !document.querySelector('#alerts-more').hidden);
  assert.equal(await page.textContent('#alerts-count'), '700 critical · 2 pending · 1,234 hidden');
  delete value.alert_counts;
  fake.put('status', value);
  await within(page, () => document.querySelector('#alerts-count').textContent === '');
});
