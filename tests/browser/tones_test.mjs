// How bad something is the node says; the page shows it alike wherever it stands.

import assert from 'node:assert/strict';
import { row, shown, within } from './shown_page.mjs';
import { lostBoard } from './many_alerts.mjs';
import { AWAY, masternode } from './state.mjs';

// The bar's pieces of one tone.
const pieces = async (page, tone) =>
  ((await page.getAttribute(`#mn-dots .${tone}`, 'd')).match(/M/g) ?? []).length;
const IP = '192.0.2.14';

shown('BarRowAndMarkHaveTheToneThatTheNodeGives', {}, async ({ fake, page }) => {
  // A state that sounds well and one that sounds ill, the other way about: the page has no opinion.
  for (const [tone, mark] of [
    ['bad', 'bad'],
    ['warn', 'warn'],
    ['plain', 'unknown'],
    ['good', 'ok'],
    [undefined, 'unknown'],
    ['constructor', 'unknown'],
  ]) {
    const shownTone = ['bad', 'warn', 'good'].includes(tone) ? tone : 'plain';
    const before = { good: 10, warn: 1, bad: 1, plain: 0 };
    before[shownTone] += 1;
    const label = `of tone ${tone}`;
    fake.put(`masternode/${IP}`, masternode(Date.now(), IP, label, { state: 'refused', tone }));
    await within(page, (said) => document.querySelector('#rows').textContent.includes(said), label);
    assert.equal(await page.getAttribute(row(IP), 'data-tone'), shownTone);
    assert.equal(await page.getAttribute(`${row(IP)} .c-state use`, 'href'), `#i-${mark}`);
    before.good -= 1;
    for (const each of Object.keys(before))
      assert.equal(await pieces(page, each), before[each], `${each} of tone ${tone}`);
  }
});

shown(
  'AMasternodeThatWasNeverSeenIsAsBadInItsRowAsInTheBarAndItsScoreHasNoColour',
  { board: lostBoard(Date.now()) },
  async ({ page }) => {
    assert.equal(await pieces(page, 'bad'), 131);
    assert.equal(await page.locator('#rows tr:not([data-tone=bad])').count(), 0);
    assert.equal(await page.textContent(`${row('198.18.0.1')} .c-score`), '67');
    const colours = await page.evaluate(() =>
      ['.c-score span', '.c-name b'].map(
        (each) => getComputedStyle(document.querySelector(`#rows ${each}`)).color,
      ),
    );
    assert.equal(colours[0], colours[1]);
  },
);

shown('WhetherThereIsAConnectionIsTheNodesWord', {}, async ({ fake, page }) => {
  const why = page.locator(`${row(IP)} .c-why`);
  assert.equal(await why.isVisible(), false);
  // It has a time of connection and a state that sounds well, and is away all the same.
  fake.put(`masternode/${IP}`, masternode(Date.now(), IP, 'gone', { connected: false }));
  await within(page, () => document.querySelector('#rows').textContent.includes('gone'));
  assert.equal(await why.isVisible(), true);
  const keys = await page
    .locator('#rows tr')
    .evaluateAll((rows) => rows.map((each) => each.dataset.key));
  assert.ok(keys.indexOf(IP) < 2, 'it stands among those that are away');
});

shown(
  'HowLongAMasternodeIsAwayTicks',
  { context: {}, before: (fake, page) => page.clock.install() },
  async ({ fake, page }) => {
    const put = (more) =>
      fake.put(`masternode/${IP}`, masternode(Date.now(), IP, 'gone', { ...AWAY, ...more }));
    const since = `${row(IP)} .since`;
    const said = async () => {
      const [, min, s] = (await page.textContent(since)).match(/^away for (\d+) min (\d+) s$/);
      return Number(min) * 60 + Number(s);
    };
    put({ down_since: new Date(Date.now() - 72_000).toISOString() });
    await within(page, (where) => /^away/.test(document.querySelector(where).textContent), since);
    const first = await said();
    assert.ok(first >= 72 && first < 90, `${first} s`);
    await page.clock.runFor(6000); // what is shown is up to a second old
    assert.ok((await said()) >= first + 5);
    put({ down_since: null });
    await within(page, (where) => document.querySelector(where).hidden, since);
  },
);

shown('SyncAndClockAreSaidAsTheNodeSaysThem', {}, async ({ fake, page }) => {
  const value = structuredClone(fake.board.get('status'));
  value.sync_sentence = 'a sentence <b>of</b> the node';
  value.clock.ahead_seconds = 40;
  value.clock_level = true;
  fake.put('status', value);
  await within(page, () => /a sentence/.test(document.querySelector('#chain-sub').textContent));
  assert.match(await page.textContent('#chain-sub'), /^A sentence <b>of<\/b> the node$/i);
  assert.equal(await page.textContent('#peers-more'), 'clock level with 11 peers');
  value.clock_level = false;
  value.clock.ahead_seconds = -0.2;
  fake.put('status', value);
  await within(page, () =>
    /clock 0\.2 s behind 11 peers/.test(document.querySelector('#peers-more').textContent),
  );
});
