#!/usr/bin/env bash
# Everything CI runs, in order, stopping at the first failure; ends on pytest's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
export DATA_DIR="${DATA_DIR:-$PWD/var/test}" # not the one of a running installation

step() {
    printf '\033[36m==>\033[0m %s\n' "$*"
    "$@"
}

step ruff format --check .
step ruff check .
step mypy .
step lint-imports
step djlint --check --lint --quiet templates
step python manage.py makemigrations --check --dry-run
step env SITE_URL=https://groundswell.example python manage.py check --deploy --fail-level WARNING
step bash scripts/setup.sh tests
step pytest -n 3 --dist worksteal --cov --cov-report=term "$@"
