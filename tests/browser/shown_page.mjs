// A browser for the tests of one file, and pages of the double's board in it: `shown` opens one for a
// test and checks at its end that the page kept its promises, `looked` is for tests that only look.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, ready, watched } from './browser.mjs';
import { FakeServer } from './fake_server.mjs';
import { board } from './state.mjs';

export let browser;
// A new page is a new process, and takes its time: one is only looked at, and one is loaded anew for
// each test that needs nothing special of its browser.
let calm;
let used;
before(async () => {
  browser = await launch();
  [calm, used] = [await bench(), await bench()];
  calm.answer = await calm.page.goto(calm.fake.url);
  await ready(calm.page);
});
after(async () => {
  await browser?.close();
  for (const each of [calm, used]) await each?.fake.stop();
});

async function bench(options = {}) {
  const fake = await FakeServer.start(board(Date.now()));
  return { fake, ...(await open(browser, options)) };
}

export const looked = (name, check) => test(name, () => check(calm));

// options: `context` for Playwright's newContext, which gives the test a browser context of its own;
// `size` of the window; `board`; `before` runs ahead of the page; `unready`: it is not to show a full
// board; `errors`: the test makes the browser note some.
export function shown(name, options, check) {
  test(name, async () => {
    const stage = options.context ? await bench(options.context) : used;
    const { fake, page, noted } = stage;
    fake.board = options.board ?? board(Date.now());
    fake.refuse = 0;
    noted.errors.length = noted.requests.length = 0;
    try {
      await page.setViewportSize(options.size ?? { width: 1440, height: 900 });
      if (options.before) await options.before(fake, page);
      await page.goto(fake.url);
      if (!options.unready) await ready(page);
      await check({ fake, page, noted });
      const seen = await watched(page, noted, fake.url);
      assert.deepEqual(seen.elsewhere, []);
      assert.deepEqual(seen.violations, []);
      if (!options.unready && !options.errors) assert.deepEqual(seen.errors, []);
    } finally {
      if (stage !== used) await stage.context.close();
      if (stage !== used) await fake.stop();
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
