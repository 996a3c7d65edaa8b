# One image for everything of ours: the server, its preparation, cleanup, backup and restore.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY deploy/requirements.lock .
# Without a pip of its own; only files whose sum is known; nothing is compiled, here or anywhere.
RUN python -m venv --without-pip .venv \
    && pip --python .venv/bin/python install --require-hashes --only-binary :all: -r requirements.lock
# The nets that find and compare faces and sort pictures, from three more packages, which are not
# installed. Where they cannot be had the image is whole without: people are not counted then.
COPY media/__init__.py media/
COPY media/faces media/faces
COPY media/nets media/nets
COPY media/sorter media/sorter
COPY media/net_files media/net_files
RUN .venv/bin/python -m media.net_files var/faces --or-without --pip pip
COPY . .
# Whoever runs it cannot write here: what can be made beforehand is made now. Commands of manage.py
# write for their own user and group alone (umask 027), as git may; the image runs as another user.
RUN .venv/bin/pybabel --quiet compile --directory photochanger/locale --domain django \
    && ENV_FILE='' .venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && .venv/bin/python -m compileall -q . \
    && mkdir -p var/media var/backups secrets \
    && chmod -R a+rX .

FROM python:3.11.14-slim-bookworm
# pg_dump and psql, for backups. No version: the distribution has one, and mends it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/* \
    && python -m pip uninstall --yes --root-user-action=ignore setuptools wheel pip \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin photochanger
WORKDIR /app
COPY --from=build /app /app
# The only folders it writes to, besides /tmp; each is a volume in deploy/compose.yaml.
RUN chown photochanger:photochanger var/media var/backups secrets && chmod 700 secrets
ENV ENV_FILE='' BIND=0.0.0.0:8000 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD [".venv/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
# Longer than any photo may take (gunicorn.conf.py): `docker stop` needs --time 90 as well.
STOPSIGNAL SIGTERM
ENTRYPOINT ["deploy/start.sh"]
CMD ["serve"]
