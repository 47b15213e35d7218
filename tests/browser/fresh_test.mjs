// A node that has only begun, and one that opens no connection: what is not known is said to be so.

import assert from 'node:assert/strict';
import { looked, shown, within } from './shown_page.mjs';
import { freshBoard, passiveBoard } from './fresh_boards.mjs';
import { MINUTE, time } from './history.mjs';

shown(
  'AFreshNodeSaysThatNoHeightIsBelievedAndWhatTheClockExpects',
  { board: freshBoard(Date.now()) },
  async ({ fake, page }) => {
    assert.equal(await page.textContent('#chain-big'), '0');
    const said = await page.textContent('#chain-sub');
    assert.equal(
      said,
      'best height unknown: too few masternodes have told theirs · by the clock it would be 52,055',
    );
    assert.match(await page.textContent('#chain-more'), /newest block 361 d 11 h old/);
    assert.equal(await page.getAttribute('#tile-chain', 'data-tone'), 'unknown');
    // What was not known in the only step is not drawn as if no node had run.
    assert.equal(await page.textContent('#chart-lag .said'), 'unknown');
    const gaps = await page.getAttribute('#chart-lag path.gap', 'd');
    assert.equal(gaps.match(/M/g).length, 95);
    // Everybody is where we are, and the clock is not.
    const value = structuredClone(fake.board.get('status'));
    Object.assign(value.chain, { best_height: 0, lag_blocks: 0, network_stalled: true });
    value.status.sync.verdict = 'in_sync';
    delete value.sync_sentence;
    fake.put('status', value);
    await within(page, () => /in sync/.test(document.querySelector('#chain-sub').textContent));
    assert.match(
      await page.textContent('#chain-sub'),
      /^in sync · the whole network stands still · by the clock it would be 52,055$/,
    );
    assert.equal(await page.getAttribute('#tile-chain', 'data-tone'), 'warn');
    value.chain.best_height = null;
    fake.put('status', value);
    await within(page, () =>
      /^no height is believed yet/.test(document.querySelector('#chain-sub').textContent),
    );
  },
);

looked('ANodeThatIsLevelDoesNotSpeakOfTheClocksHeight', async ({ page }) => {
  assert.equal(await page.textContent('#chain-sub'), 'in sync');
});

shown(
  'TheStepInWhichTheNodeBeganHasNoLossInIt',
  { board: freshBoard(Date.now()) },
  async ({ fake, page }) => {
    assert.equal(await page.locator('#chart-connected path.dip:not(.start)').count(), 0);
    assert.equal(await page.locator('#chart-connected path.dip.start').count(), 1);
    const said = () => page.textContent('#chart-connected .said');
    assert.equal(await said(), '1.6 of 2 connected, the node started in this step');
    // Once it is older, the same figures are a loss.
    const value = structuredClone(fake.board.get('history'));
    value.node[94] = { ...value.node[95], at: value.node[94].at, connected_min: 1.6 };
    fake.put('status', { ...fake.board.get('status'), started_at: time(Date.now() - 90 * MINUTE) });
    fake.put('history', value);
    await within(page, () => document.querySelector('#chart-connected path.dip:not(.start)'));
    assert.equal(await said(), '1.6 of 2 connected, at times 0');
  },
);

for (const size of [
  { width: 1440, height: 900 },
  { width: 360, height: 740 },
]) {
  shown(
    `StripsWithoutHistoryHaveNoLegendAt${size.width}Pixels`,
    { board: freshBoard(Date.now()), size },
    async ({ fake, page }) => {
      assert.equal(await page.isVisible('#strip-legend'), false);
      assert.equal(await page.textContent('#columns .c-strip'), 'No history yet');
      assert.match(await page.innerText('#masternodes'), /no history yet/i);
      assert.equal(await page.locator('#rows .strip:visible').count(), 0);
      const value = structuredClone(fake.board.get('history'));
      value.masternodes[0].connected[95] = 1;
      fake.put('history', value);
      await within(page, () => !document.querySelector('#strip-legend').hidden);
      assert.equal(await page.textContent('#columns .c-strip'), 'Last 24 h');
      assert.equal(await page.locator('#rows .strip:visible').count(), 2);
      assert.doesNotMatch(await page.innerText('#masternodes'), /no history yet/i);
    },
  );
}

shown(
  'APassiveNodeSaysThatItIsPassiveAndWhy',
  { board: passiveBoard(Date.now()) },
  async ({ page }) => {
    assert.equal(
      await page.innerText('#tile-masternodes'),
      'Masternodes\n\n2\n\nwhitelisted\n\npassive, it opens no connection: node.mode is passive',
    );
    assert.equal(
      await page.textContent('#chart-connected .said'),
      'the node runs passive: it opens no connection',
    );
    assert.doesNotMatch(await page.innerText('body'), /0 of \d+ connected/);
    assert.match(await page.innerText('#rows'), /this node is passive: node\.mode is passive/);
  },
);

shown('AnEmptyWhitelistIsNotZeroOfZero', {}, async ({ fake, page }) => {
  const value = structuredClone(fake.board.get('history'));
  for (const point of value.node)
    if (point.whitelisted) Object.assign(point, { whitelisted: 0, connected_mean: 0 });
  fake.put('history', value);
  await within(
    page,
    () => document.querySelector('#chart-connected .said').textContent === 'nobody was whitelisted',
  );
});

shown(
  'OnAPhoneTheNextCommandKeepsItsLabel',
  { size: { width: 360, height: 740 } },
  async ({ page }) => {
    assert.match(await page.innerText('#next'), /^Next\s+timectl peer show 203\.0\.113\.77$/);
    assert.equal(await page.isVisible('#next > span'), true);
  },
);
