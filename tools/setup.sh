#!/bin/sh
# Prepares a checkout: system packages, .venv from the pinned lock, the project in it, the sample pictures.
#
#   sh tools/setup.sh           what demo, tests and checks need
#   sh tools/setup.sh models    the separate environment that rebuilds models/ (tensorflow, Python 3.11 only)
#
# Every make target calls it, so it returns at once when nothing has changed. What was made from what is noted in a
# stamp inside the environment, written last: an environment without a valid stamp was interrupted, or made by hand, and
# is made anew. PYTHON=/path/to/python3 chooses the interpreter.
set -eu

cd "$(dirname "$0")/.."
root=$(pwd)
what=${1:-dev}

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

case $what in
    dev)
        venv=.venv
        lock=requirements/dev.txt
        strictly=--require-hashes
        size='one to three minutes, about 100 MB to fetch'
        ;;
    models)
        venv=.cache/venv-models
        lock=tools/models/requirements.txt
        strictly=--prefer-binary # what it converts is checked by hash, and so is what comes out
        size='several minutes, about 400 MB to fetch'
        ;;
    *) fail "there is nothing called '$what' to set up; try: sh tools/setup.sh [models]" ;;
esac
stamp=$venv/.made-from

# Somebody's pip or Python settings must not send packages elsewhere than into our environment.
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PYTHONHOME PYTHONPATH VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PYTHONNOUSERSITE=1

# ---- what is there ------------------------------------------------------------------------------------------------

# The environment depends on the lock, the interpreter and the place (its scripts name their folder).
environment_key() {
    printf 'environment %s %s %s\n' "$(sha256sum <"$lock" | cut -d ' ' -f 1)" "$("$venv/bin/python" -V 2>&1)" "$root"
}

# The installed project and the pictures depend on these; a change needs no new environment.
project_key() {
    printf 'project %s\n' "$(cat pyproject.toml requirements/samples.txt tools/samples.py | sha256sum | cut -d ' ' -f 1)"
}

made_from() { [ -f "$stamp" ] && [ -x "$venv/bin/python" ] && grep -qxF "$1" "$stamp"; }

has_environment() { made_from "$(environment_key 2>/dev/null)"; }
has_project() { [ "$what" = models ] || made_from "$(project_key)"; }
has_samples() { [ "$what" = models ] || [ -f .cache/samples/astronaut.png ]; }
has_broker() { [ "$what" = models ] || command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ]; }
# A software TPM for the tests of the TPM key store: wanted where we may install it; elsewhere they are skipped by name.
has_tpm() {
    [ "$what" = models ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null ||
        { command -v swtpm >/dev/null && [ -x /usr/bin/tpm2 ]; }
}
# A virtual card reader and the system's pcscd, for the tests of the card reader: wanted as the software TPM is.
has_pcscd() {
    [ "$what" = models ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null ||
        { [ -x /usr/sbin/pcscd ] && [ -e /usr/lib/pcsc/drivers/serial/libifdvpcd.so ] && [ -e "$pyscard/__init__.py" ]; }
}
# PostgreSQL, for the tests of the fleet's store, which start a server of their own from Debian's folder.
has_postgresql() {
    [ "$what" = models ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null ||
        ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1
}
# A browser for the tests of the pages, and a font with Chinese in it, or a page in Chinese would be drawn as boxes.
has_browser() {
    [ "$what" = models ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null ||
        { command -v chromium >/dev/null && [ -d /usr/share/fonts/truetype/wqy ]; }
}
# Debian's pyscard, which has no wheel: linked into an environment whose interpreter its compiled part was made for.
pyscard=/usr/lib/python3/dist-packages/smartcard
pyscard_place() {
    for place in "$venv"/lib/python3.*/site-packages; do
        abi=$(printf '%s\n' "$place" | sed 's|.*/lib/python3\.\([0-9a-z]*\)/.*|3\1|')
        set -- "$pyscard/scard/_scard.cpython-$abi-"*.so
        if [ -d "$place" ] && [ -e "$1" ]; then
            printf '%s\n' "$place"
        fi
    done
}
has_pyscard() {
    [ "$what" = models ] || [ -z "$(pyscard_place)" ] || [ -e "$(pyscard_place)/smartcard/__init__.py" ]
}
has_all() {
    has_broker && has_tpm && has_pcscd && has_postgresql && has_browser && has_environment && has_pyscard && has_project && has_samples
}

has_all && exit 0

# ---- one at a time ------------------------------------------------------------------------------------------------

mkdir -p .cache
if command -v flock >/dev/null; then
    exec 9>.cache/setup.lock # released by the kernel however this script ends
    if ! flock -n 9; then
        say "waiting for another set-up in this checkout to end"
        flock 9
        has_all && exit 0
    fi
fi
trap 'say "interrupted; the next call starts over where it is safe"; exit 130' INT TERM

# ---- system packages ----------------------------------------------------------------------------------------------

# need PACKAGE...: installs Debian packages as root, otherwise says how.
need() {
    command -v apt-get >/dev/null || fail "please install the equivalent of these Debian packages: $*"
    if [ "$(id -u)" != 0 ]; then
        fail "system packages are missing. Please run: sudo apt-get update && sudo apt-get install -y $*"
    fi
    say "installing the system packages $* (less than a minute)"
    (
        exec 9>&- # a service that a package starts must not keep our lock
        export DEBIAN_FRONTEND=noninteractive
        install="apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 $*"
        if ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 && $install </dev/null >.cache/apt.log 2>&1; then
            exit 0
        fi
        # No package lists yet, or lists so old that they name files which are gone.
        { apt-get update -qq && $install; } </dev/null >.cache/apt.log 2>&1
    ) || {
        tail -n 5 .cache/apt.log >&2
        fail "apt-get could not install $* (all it said: .cache/apt.log)"
    }
}

# version PYTHON: prints e.g. 3.11 for an interpreter we can use; fails for any other (also for a shim that runs none).
version() {
    "$1" -c '
import sys
if sys.version_info < (3, 11) or sys.implementation.name != "cpython":
    sys.exit(1)
print("%d.%d" % sys.version_info[:2])
' 2>/dev/null
}

can_make_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# find_python CANDIDATE...: sets $python to the first we can use, preferring one that can make environments as it is.
find_python() {
    python=
    for candidate; do
        if ! command -v "$candidate" >/dev/null || ! version "$candidate" >/dev/null; then
            continue
        fi
        if can_make_environments "$candidate"; then
            python=$candidate
            return
        fi
        [ -n "$python" ] || python=$candidate
    done
    [ -n "$python" ]
}

# All that is missing is asked for at once, so that a person without root is stopped only once.
packages=
has_broker || packages=mosquitto # the broker of the tests and the demo
has_tpm || packages="$packages swtpm tpm2-tools" # 17 MB at most, 12 s (measured on Debian 12)
has_pcscd || packages="$packages pcscd vsmartcard-vpcd python3-pyscard"
has_browser || packages="$packages chromium fonts-dejavu-core fonts-wqy-microhei"
if ! has_postgresql; then
    # Debian's package makes a cluster and starts it, which nobody asked us for. On a machine where it was never set up,
    # its own switch for that is turned first; what somebody has set is left alone.
    clusters=/etc/postgresql-common/createcluster.conf
    if [ ! -e "$clusters" ]; then
        need postgresql-common
        sed -i 's/^#* *create_main_cluster *=.*/create_main_cluster = false/' "$clusters"
    fi
    packages="$packages postgresql"
fi
if ! has_environment; then
    if [ "$what" = models ]; then
        if ! find_python python3.11 /usr/bin/python3.11 "${PYTHON:-python3}" || [ "$(version "$python")" != 3.11 ]; then
            fail "the converter needs Python 3.11; install it, or set PYTHON to one."
        fi
    elif [ -n "${PYTHON:-}" ]; then
        find_python "$PYTHON" || fail "PYTHON=$PYTHON is no CPython 3.11 or newer."
    else
        find_python python3.11 python3.12 python3.13 python3 /usr/bin/python3 ||
            fail "no Python 3.11 or newer found; install one, or set PYTHON to it."
    fi
    can_make_environments "$python" || packages="$packages python$(version "$python")-venv"
fi
# shellcheck disable=SC2086 # a list of packages
[ -z "$packages" ] || need $packages

# ---- the environment ----------------------------------------------------------------------------------------------

# make_environment: a new $venv with the packages of $lock.
make_environment() {
    can_make_environments "$python" || fail "$python cannot make virtual environments; set PYTHON to another one."
    say "making $venv with $("$python" -V) and the packages of $lock ($size)"
    rm -f "$stamp"
    rm -rf "$venv" || fail "$venv cannot be removed; does it belong to another user?"
    "$python" -m venv "$venv"
    # -qq: a user's own pip settings may warn about every package; errors are still shown.
    "$venv/bin/python" -m pip install -qq "$strictly" --only-binary :all: --requirement "$lock" </dev/null ||
        fail "the packages of $lock could not be installed; is a package registry reachable?"
}

# note LINE...: writes the stamp whole.
note() {
    printf '%s\n' "$@" >"$stamp.new"
    mv "$stamp.new" "$stamp"
}

if ! has_environment; then
    make_environment
    note "$(environment_key)"
fi

# A link and no copy: the compiled part needs the system's libpcsclite, and is renewed with it.
if [ "$what" = dev ] && [ -d "$pyscard" ]; then
    if [ -z "$(pyscard_place)" ]; then
        say "skipped: Debian's pyscard is made for another Python than $("$venv/bin/python" -V); so are its tests"
    elif ! has_pyscard; then
        ln -sfn "$pyscard" "$(pyscard_place)/smartcard"
    fi
fi

# ---- the project and the pictures ---------------------------------------------------------------------------------

if ! has_project || ! has_samples; then
    say "installing the project into $venv"
    "$venv/bin/python" -m pip install -qq --no-deps --no-build-isolation --editable . </dev/null ||
        fail "the project itself could not be installed into $venv"
    has_samples || say "fetching the sample pictures (17 MB, once)"
    "$venv/bin/python" -m tools.samples >/dev/null || exit 1
    note "$(environment_key)" "$(project_key)"
fi
say "ready"
