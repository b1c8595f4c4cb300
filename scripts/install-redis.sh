#!/bin/sh
# Redis for the Celery tests, from Debian's packages where that is possible; without it those tests are skipped.
set -u
command -v redis-server >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing redis-server"
  apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install redis-server \
    >/dev/null </dev/null
fi
command -v redis-server >/dev/null || echo "redis-server cannot be installed here: the Celery tests are skipped"
