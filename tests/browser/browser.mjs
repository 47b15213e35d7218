// The installed Chromium, driven by playwright-core, and a page of it that is watched: whatever
// breaks a promise of the page (an error, a request to elsewhere, a violated policy) is noted.

import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';

const here = new URL('.', import.meta.url).pathname;
// Where `npm ci` put the packages; the sources stay as they are.
const { chromium } = createRequire(`${process.env.TIMECTL_NODE_MODULES ?? here}/`)(
  'playwright-core',
);

const CHROMIUM =
  process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);

export function launch() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}

// A new context and page; `noted` fills while it lives.
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const noted = { errors: [], requests: [] };
  page.on(
    'console',
    (message) => ['error', 'warning'].includes(message.type()) && noted.errors.push(message.text()),
  );
  page.on('pageerror', (error) => noted.errors.push(String(error)));
  context.on('request', (request) => noted.requests.push(`${request.method()} ${request.url()}`));
  await page.addInitScript(() => {
    globalThis.violations = [];
    addEventListener('securitypolicyviolation', (event) =>
      globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  return { page, context, noted };
}

export const ready = (page) =>
  page.waitForSelector('body[data-ready][data-live=live]', { timeout: 5000 });

// What broke a promise so far. Requests to elsewhere are those to another origin than `url`.
export async function watched(page, noted, url) {
  return {
    errors: noted.errors,
    elsewhere: noted.requests.filter(
      (request) => !request.startsWith(`GET ${new URL(url).origin}/`),
    ),
    violations: await page.evaluate(() => globalThis.violations),
  };
}
