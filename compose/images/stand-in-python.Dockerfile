# In place of the official Python image: Debian's Python, as `python`, with a pip that installs anywhere.
FROM alpespartners/stand-in-debian:bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-pip \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/* \
    && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED \
    && ln -s python3 /usr/bin/python

ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
CMD ["python"]
