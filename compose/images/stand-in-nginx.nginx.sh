#!/bin/sh
# nginx with the paths of a system's package: this build has all its own relative to where it starts.
exec /usr/local/lib/nginx/nginx -p /var/cache/nginx/ -c /etc/nginx/nginx.conf -e /dev/stderr "$@"
