// docs/images/dashboard-*.png from the state of state.mjs, at one moment, so that a run without a
// change of the page changes nothing: node tests/browser/screenshots.mjs [FOLDER]
// The pictures of the repository were made with Debian's fonts-inter and pngquant installed.

import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, open, ready } from './browser.mjs';
import { FakeServer } from './fake_server.mjs';
import { board, calmBoard } from './state.mjs';

const NOW = Date.parse('2026-11-27T03:12:40Z');
const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/images/', import.meta.url));
const SHOTS = [
  { name: 'dashboard-light', scheme: 'light', width: 1440, height: 1080, board },
  { name: 'dashboard-dark', scheme: 'dark', width: 1440, height: 1080, board },
  { name: 'dashboard-phone', scheme: 'dark', width: 360, height: 740, board, scale: 2 },
  { name: 'calm-light', scheme: 'light', width: 1440, height: 900, board: calmBoard, extra: true },
  {
    name: 'full-light',
    scheme: 'light',
    width: 1440,
    height: 900,
    board,
    extra: true,
    whole: true,
  },
  {
    name: 'phone-light-full',
    scheme: 'light',
    width: 360,
    height: 740,
    board,
    extra: true,
    whole: true,
  },
  { name: 'wall-dark', scheme: 'dark', width: 2560, height: 1440, board, extra: true },
];

await mkdir(folder, { recursive: true });
const browser = await launch();
for (const { name, scheme, width, height, scale, whole, extra, board: make } of SHOTS) {
  if (extra && !process.argv[2]) continue; // to look at, not to show
  const fake = await FakeServer.start(make(NOW));
  fake.dated = false;
  const { page, context } = await open(browser, {
    viewport: { width, height },
    colorScheme: scheme,
    deviceScaleFactor: scale ?? 1,
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  });
  await page.clock.setFixedTime(NOW);
  await page.goto(fake.url);
  await ready(page);
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, fullPage: whole === true });
  // A third of the size; without the program the picture is as good.
  spawnSync('pngquant', ['--force', '--strip', '--skip-if-larger', '--output', path, '256', path]);
  await context.close();
  await fake.stop();
}
await browser.close();
