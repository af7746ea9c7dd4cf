# Everything is called from here; `make` alone lists it.
SHELL := /bin/bash
PY := .venv/bin/python
LOCK := requirements.lock

.DEFAULT_GOAL := help
.PHONY: help setup run test lock format screenshots

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | column -t -s '|'

setup: ## the environment in .venv, Chromium, ffmpeg and the sandbox included
	@bash scripts/setup.sh

run: setup ## everything, with the sample platform; prints the address and the admin login
	@exec $(PY) manage.py up --sample

test: setup ## everything CI runs, stopping at the first failure
	@bash scripts/check.sh

screenshots: setup ## pictures for docs/screenshots, of what `make run` shows; needs ADMIN_PASSWORD
	$(PY) scripts/screenshots.py

format: setup ## what machines can mend
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
	.venv/bin/djlint --reformat --quiet templates

lock: ## write requirements.lock from pyproject.toml; UPGRADE=1 takes the newest of everything
	@.venv/bin/uv pip compile --system-certs --quiet --python-version 3.11 --python-platform linux --group dev --no-emit-index-url --no-emit-find-links \
		$(if $(UPGRADE),--upgrade) --custom-compile-command 'make lock' pyproject.toml --output-file $(LOCK)
