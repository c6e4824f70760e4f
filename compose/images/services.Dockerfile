# One image for all Python services and workers; which of them runs is the compose file's `command`.
# The context is the repository's root. No RUN --mount, no heredocs: plain engines have the classic builder.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm
FROM ${PYTHON_IMAGE}

# Unprivileged, without a shell. Everything below belongs to root, and only root could write it.
RUN groupadd --gid 10001 alpes \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin alpes

# Beside the interpreter's own packages, so that it doesn't matter where the base keeps those.
COPY compose/images/services.txt /srv/alpes/services.txt
RUN python -m pip install --quiet --no-cache-dir --no-compile --disable-pip-version-check --root-user-action=ignore \
        --no-deps --require-hashes --only-binary=:all: --target /srv/alpes/packages \
        --requirement /srv/alpes/services.txt \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /srv/alpes/packages \
    && chmod -R go-w /srv/alpes

COPY services /srv/alpes/services
COPY workers /srv/alpes/workers
RUN python -m compileall -q --invalidation-mode unchecked-hash /srv/alpes/services /srv/alpes/workers \
    && chmod -R a+rX,go-w /srv/alpes/services /srv/alpes/workers

ENV PYTHONPATH=/srv/alpes:/srv/alpes/packages \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv/alpes
USER 10001:10001
STOPSIGNAL SIGTERM
CMD ["python", "-m", "services.tracking.serve"]
