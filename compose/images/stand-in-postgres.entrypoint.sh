#!/bin/bash
# Makes the cluster the first time, then becomes the command, as the user postgres.
set -euo pipefail

if [ "${1:-}" = "" ] || [ "${1#-}" != "$1" ]; then
    set -- postgres "$@"
fi
if [ "$1" != postgres ]; then
    exec "$@"
fi

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$(dirname "$PGDATA")"
    chown postgres:postgres /var/lib/postgresql "$(dirname "$PGDATA")"
    # The server's own log goes wherever the container's does.
    exec setpriv --reuid postgres --regid postgres --clear-groups "$0" "$@"
fi

# Half a cluster must never look like a whole one: it gets its name last.
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "POSTGRES_PASSWORD is missing: set it in the service's environment" >&2
        exit 1
    fi
    half=$PGDATA.new
    rm -rf "$half"
    mkdir -p -m 700 "$half"
    # POSTGRES_INITDB_ARGS holds several arguments, so it is split on purpose.
    # shellcheck disable=SC2086
    initdb --pgdata "$half" --username "$user" --pwfile <(printf '%s\n' "$POSTGRES_PASSWORD") \
        --encoding UTF8 --auth-local trust --auth-host scram-sha-256 --no-instructions ${POSTGRES_INITDB_ARGS:-}
    echo "host all all all scram-sha-256" >>"$half/pg_hba.conf"
    {
        echo "listen_addresses = '*'"
        # The second one is where the programs of this build look by themselves.
        echo "unix_socket_directories = '/var/run/postgresql, /tmp'"
    } >>"$half/postgresql.conf"
    if [ "$database" != postgres ]; then
        printf 'CREATE DATABASE "%s";\n\n' "${database//\"/\"\"}" |
            postgres --single -j -D "$half" postgres >/dev/null
    fi
    if [ -d "$PGDATA" ]; then
        rmdir "$PGDATA"
    fi
    mv "$half" "$PGDATA"
fi

exec "$@"
