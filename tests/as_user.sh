#!/usr/bin/env bash
# The stack as an ordinary user, from a fresh clone: environment, up, two short scenarios, stats, down.
# $1: a Python 3.11 or newer. Ports and project are its own, so that it runs beside another stack.
set -euo pipefail
cd "$(dirname "$0")/.."
make PYTHON="$1" .venv/.installed

env_file=$(mktemp)
cat .env - >"$env_file" <<'ENV'
PULSAR_PORT=17650
PULSAR_ADMIN_PORT=17090
TRACKING_DB_PORT=17442
TRACKING_PORTS=17010-17029
TRACKING_WORKER_PORTS=17050-17069
TRACKING_NGINX_PORT=17040
AFFILIATES_DB_PORT=17443
AFFILIATES_PORTS=17100-17109
AFFILIATES_WORKER_PORTS=17120-17129
ENV
alpesctl() { .venv/bin/alpesctl --project-name "alpes-$(id -un)" --env-file "$env_file" "$@"; }
trap 'alpesctl down --volumes --yes' EXIT

alpesctl up
# A void run says that this machine was too busy to load it as claimed; it may be repeated once.
scenario() { alpesctl scenario "$@" || { [ $? = 5 ] && alpesctl scenario "$@"; }; }
scenario performance --rate 500 --duration 10
scenario availability --requests 1000 --rate 100
alpesctl stats
