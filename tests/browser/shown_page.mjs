// A browser for the tests of one file, and pages of the double's board in it: `shown` opens one for a
// test and checks at its end that the page kept its promises, `looked` is for tests that only look.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, ready, watched } from './browser.mjs';
import { FakeServer } from './fake_server.mjs';
import { board } from './state.mjs';

export let browser;
let calm; // one page that only looks are taken at: a new one takes its time
before(async () => {
  browser = await launch();
  const fake = await FakeServer.start(board(Date.now()));
  calm = { fake, ...(await open(browser)) };
  calm.answer = await calm.page.goto(fake.url);
  await ready(calm.page);
});
after(async () => {
  await browser?.close();
  await calm?.fake.stop();
});
export const looked = (name, check) => test(name, () => check(calm));

// options: those of open(), and `board`; `before` runs ahead of the page; `unready`: it is not to show
// a full board; `errors`: the test makes the browser note some.
export function shown(name, options, check) {
  test(name, async () => {
    const fake = await FakeServer.start(options.board ?? board(Date.now()));
    const { page, context, noted } = await open(browser, options);
    try {
      if (options.before) await options.before(fake, page);
      await page.goto(fake.url);
      if (!options.unready) await ready(page);
      await check({ fake, page, noted });
      const seen = await watched(page, noted, fake.url);
      assert.deepEqual(seen.elsewhere, []);
      assert.deepEqual(seen.violations, []);
      if (!options.unready && !options.errors) assert.deepEqual(seen.errors, []);
    } finally {
      await context.close();
      await fake.stop();
    }
  });
}

export const row = (ip) => `#rows tr[data-key="${ip}"]`;
export const within = (page, look, argument, timeout = 5000) =>
  page.waitForFunction(look, argument, { timeout, polling: 20 });
export const widest = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
export const visibleRows = (page) =>
  page.locator('#rows tr').evaluateAll((rows) => rows.map((each) => each.dataset.key));
