// The page from real nodes: the link opens it, a masternode that dies is seen, and the node's own
// server keeps the page's promises. One story, because starting nodes takes its time.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, ready, watched } from './browser.mjs';
import { POLICY } from './fake_server.mjs';
import { RealNodes } from './real_nodes.mjs';

let browser;
let nodes;
let us;
let other;
let shown;
const rowText = (ip) => shown.page.textContent(`#rows tr[data-key="${ip}"]`);
const until = (look, argument, timeout = 5000) =>
  shown.page.waitForFunction(look, argument, { timeout, polling: 20 });
const origin = () => new URL(us.link()).origin;

before(async () => {
  [browser, nodes] = await Promise.all([launch(), RealNodes.make(3)]);
  [us, other] = nodes.nodes;
  await Promise.all(nodes.nodes.map((node) => node.start()));
  shown = await open(browser);
});
after(async () => {
  await browser?.close();
  await nodes?.remove();
});

test('WithoutTheLinkThereIsNoPage', async () => {
  const { page, context } = await open(browser);
  const answer = await page.goto(`${origin()}/`);
  assert.equal(answer.status(), 401);
  assert.match(await page.textContent('body'), /timectl node info/);
  await context.close();
});

test('TheLinkOfNodeInfoOpensThePageUnderAStrictPolicy', async () => {
  const { page, noted } = shown;
  const answer = await page.goto(us.link());
  assert.equal(answer.status(), 200);
  assert.equal(answer.headers()['content-security-policy'], POLICY);
  assert.equal(page.url(), `${origin()}/`); // the token is not in the address, nor in the history
  await ready(page);
  assert.equal(await page.textContent('h1'), 'The whitelist is empty: no masternode is protected');
  const { paint, total } = await page.evaluate(() => ({
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    total: performance
      .getEntriesByType('resource')
      .reduce(
        (sum, each) => sum + each.encodedBodySize,
        performance.getEntriesByType('navigation')[0].encodedBodySize,
      ),
  }));
  console.log(
    `from a real node: first contentful paint ${Math.round(paint)} ms, ${Math.round(total / 1024)} kB in all`,
  );
  assert.ok(total > 10_000);
  assert.deepEqual((await watched(page, noted, page.url())).errors, []);
});

test('AWhitelistedMasternodeAppearsWithoutAReload', async () => {
  await shown.page.evaluate(() => {
    globalThis.sameDocument = true;
  });
  for (const node of nodes.nodes) {
    const peers = nodes.nodes.filter((each) => each !== node);
    const { status, stderr } = node.run([
      'whitelist',
      'add',
      ...peers.map((each) => each.ip),
      '--reason',
      '<b>partners</b>',
    ]);
    assert.equal(status, 0, stderr);
  }
  await until(
    () =>
      document.querySelector('#verdict-word').textContent === 'OK' &&
      [...document.querySelectorAll('#rows .c-state b')].map((each) => each.textContent).join() ===
        'connected,connected',
  );
  assert.match(await shown.page.textContent('#event-list'), /peer connected/);
  assert.equal(await shown.page.textContent('#mn-big'), '2 / 2');
});

test('AMasternodeThatDiesIsShownAndComesBack', async () => {
  const { page } = shown;
  const killed = Date.now();
  await other.kill();
  await until(
    ([ip]) =>
      document.querySelector(`#rows tr[data-key="${ip}"] .c-state b`).textContent !== 'connected',
    [other.ip],
  );
  const rowAfter = Date.now() - killed;
  await until(() => document.querySelector('#verdict-word').textContent === 'Degraded');
  console.log(
    `a masternode that is killed: its row after ${rowAfter} ms, the verdict after ${Date.now() - killed} ms`,
  );
  assert.equal(await page.locator('#rows tr').first().getAttribute('data-key'), other.ip);
  assert.match(await rowText(other.ip), /closed by peer|refused|transport dead/);
  await until(() => /peer disconnected/.test(document.querySelector('#event-list').textContent));
  assert.match(await page.title(), /^▲ Degraded · testnet/);
  await other.start();
  await until(() => document.querySelector('#verdict-word').textContent === 'OK', null, 15_000);
  assert.match(await rowText(other.ip), /connected/);
});

test('ANodeThatIsGoneLeavesThePageStandingAndSaysSo', async () => {
  const { page } = shown;
  const link = us.link();
  await us.kill();
  await until(() => document.body.dataset.live === 'lost');
  assert.match(await page.textContent('#live'), /^Not live since/);
  assert.equal(await page.locator('#rows tr').count(), 2);
  await us.start();
  await until(() => document.body.dataset.live === 'live', null, 10_000);
  assert.equal(us.link(), link); // the token stays: a bookmark of the page goes on to work
  assert.equal(await page.evaluate(() => globalThis.sameDocument), true);
});

test('NothingWasAskedOfAnybodyElseAndNothingBrokeThePolicy', async () => {
  const { page, noted } = shown;
  const seen = await watched(page, noted, page.url());
  assert.deepEqual(seen.elsewhere, []);
  assert.deepEqual(seen.violations, []);
  // While the node was gone the browser itself noted the refused connections.
  assert.deepEqual(
    seen.errors.filter(
      (text) =>
        !text.includes('ERR_CONNECTION_REFUSED') &&
        !text.includes('ERR_INCOMPLETE_CHUNKED_ENCODING') &&
        !text.includes('ERR_CONNECTION_RESET'),
    ),
    [],
  );
  assert.ok(noted.requests.length > 8);
});
