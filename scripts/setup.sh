#!/usr/bin/env bash
# Makes the environment that everything else runs in; with `tests`, what only they need (Azurite, on Node.js).
# Safe to repeat: what is there already is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=.venv
PYTHON=${PYTHON:-python3.11}
LOCK=requirements.lock
STAMP=$VENV/.installed
AZURITE=tests/azurite
PACKAGES=(ffmpeg bubblewrap fonts-noto-cjk fonts-noto-color-emoji)

say() { printf '\033[36m==>\033[0m %s\n' "$*"; }
fail() { printf '\033[31mset-up:\033[0m %s\n' "$*" >&2; exit 1; }

# Root, or someone who may become root without being asked. Empty array: already root.
AS_ROOT=()
if [ "$(id -u)" -ne 0 ]; then
    AS_ROOT=(sudo -n)
fi
is_able_to_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }
}
apt_updated=
apt_install() {
    if [ -z "$apt_updated" ]; then
        say "apt-get update"
        "${AS_ROOT[@]}" apt-get update -qq
        apt_updated=1
    fi
    say "apt-get install $*"
    "${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}
is_installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }

make_environment() {
    if [ -x $VENV/bin/python ] && $VENV/bin/python -c '' 2>/dev/null; then
        return
    fi
    if ! command -v "$PYTHON" >/dev/null || ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        is_able_to_install || fail "needs $PYTHON with venv. Run as root: apt-get install python3.11-venv"
        apt_install python3.11-venv
    fi
    say "making $VENV with $("$PYTHON" --version)"
    "$PYTHON" -m venv --clear $VENV
}

install_requirements() {
    if cmp -s $LOCK $STAMP; then
        return
    fi
    say "installing $(grep -c '^[a-z].*==' $LOCK) Python packages"
    local uv_pin
    uv_pin=$(grep -m1 '^uv==' $LOCK)
    if [ -x $VENV/bin/uv ] || $VENV/bin/python -m pip install -qq --disable-pip-version-check "$uv_pin"; then
        $VENV/bin/uv pip sync --system-certs --quiet --python $VENV/bin/python $LOCK || install_with_pip
    else
        install_with_pip
    fi
    cp $LOCK $STAMP
}

install_with_pip() {
    say "uv could not; pip instead"
    $VENV/bin/python -m pip install -qq --disable-pip-version-check -r $LOCK
}

install_system_packages() {
    local missing=() package
    for package in "${PACKAGES[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    has_chromium || missing+=(chromium)
    [ ${#missing[@]} -eq 0 ] && return
    if is_able_to_install; then
        apt_install "${missing[@]}"
        return
    fi
    if ! has_chromium; then
        say "downloading Chromium with Playwright"
        $VENV/bin/playwright install chromium || fail "no Chromium. Run as root: apt-get install chromium"
    fi
    command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null && command -v bwrap >/dev/null ||
        fail "ffmpeg or bubblewrap is missing. Run as root: apt-get install ${PACKAGES[*]}"
}

has_chromium() {
    command -v chromium >/dev/null || command -v google-chrome >/dev/null ||
        compgen -G "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}/chromium-*" >/dev/null
}

install_azurite() {
    if cmp -s $AZURITE/package-lock.json $AZURITE/node_modules/.installed; then
        return
    fi
    local missing=() program
    for program in node npm; do
        command -v $program >/dev/null || missing+=("${program/%node/nodejs}")
    done
    if [ ${#missing[@]} -gt 0 ] && ! { is_able_to_install && apt_install "${missing[@]}"; }; then
        say "no Node.js here, so the Azure tests are skipped. Run as root: apt-get install ${missing[*]}"
        return
    fi
    say "installing Azurite"
    if ! npm ci --prefix $AZURITE --no-audit --no-fund --no-progress --loglevel=error >/dev/null; then
        say "npm could not install Azurite, so the Azure tests are skipped"
        return
    fi
    cp $AZURITE/package-lock.json $AZURITE/node_modules/.installed
}

if [ "${1:-}" = tests ]; then
    install_azurite
    exit
fi
make_environment
install_requirements
install_system_packages
