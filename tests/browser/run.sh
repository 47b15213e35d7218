#!/usr/bin/env bash
# run.sh WORK FILE...: the browser tests, with their packages in the folder WORK (of the build), so
# that the sources stay as they are. 77 (ctest: skipped) only where there is no Chromium and this is
# not CI; `./dev test` installs it.
set -euo pipefail
work=$1
shift
here=$(cd "$(dirname "$0")" && pwd)

missing=''
for program in node npm; do
  command -v "$program" >/dev/null || missing=$program
done
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
[ -n "$chromium" ] || missing=chromium
if [ -n "$missing" ]; then
  echo "the browser tests need $missing: run ./dev test, or apt-get install $missing" >&2
  [ -z "${CI:-}" ] || exit 1
  exit 77
fi

# Once for each lock file (npm's, which decides what it is), and not by two tests at a time.
mkdir -p "$work"
exec 9>"$work/installing"
flock 9
if ! cmp -s "$here/package-lock.json" "$work/installed.lock"; then
  cp "$here/package.json" "$here/package-lock.json" "$work/"
  npm ci --prefix "$work" --no-audit --no-fund --ignore-scripts --loglevel=error
  cp "$here/package-lock.json" "$work/installed.lock"
fi
exec 9>&-
cd "$here"
export TIMECTL_NODE_MODULES=$work CHROMIUM=$chromium
exec node --test "$@"
