#!/bin/sh
# Installs into .venv what the names given ask for (web, train, dev), each step once for each state of its file.
# An interrupted installation goes on where it stopped. Called by the Makefile, from the repository's root.
set -eu

venv=.venv
log=$venv/install.log
torch="torch==2.13.0"

starts() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in python3.13 python3.12 python3.11 python3; do
        if starts "$candidate"; then echo "$candidate"; return; fi
    done
    echo "GoldRounds needs Python 3.11, 3.12 or 3.13, and none of them starts here." >&2
    echo "Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13) and try again." >&2
    exit 1
}

if ! starts "$venv/bin/python"; then
    python=$(find_python)
    echo "Making $venv with $("$python" --version) ..."
    if ! "$python" -m venv --clear "$venv"; then
        echo "$python has no working venv module. On Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    fi
fi

fingerprint() { "$venv/bin/python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'; }

# step NAME "WHAT IT IS" FINGERPRINT PIP-ARGUMENTS...
step() {
    name=$1 what=$2 state=$3
    shift 3
    stamp=$venv/.installed-$name
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$state" ]; then return; fi
    echo "Installing $what ..."
    if ! "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check "$@" >"$log" 2>&1; then
        grep -v '^WARNING: Location' "$log" | tail -n 20 >&2
        echo "The installation stopped; all of it is in $log. Is there a network? The same command goes on from here." >&2
        exit 1
    fi
    echo "$state" >"$stamp"
}

requirements() { fingerprint <"requirements/$1.txt"; }

for name in "$@"; do
    case $name in
    web) step web "the web application and its services (about a minute)" "$(requirements web)" \
        --require-hashes -r requirements/web.txt ;;
    train)
        # torch comes last and alone, so that pip's own configuration may offer a build for this machine.
        step train "what trainings need" "$(requirements train)" --require-hashes --no-deps -r requirements/train.txt
        step torch "$torch (the largest part)" "$(echo "$torch" | fingerprint)" "$torch" ;;
    dev) step dev "tests and linters" "$(requirements dev)" --require-hashes --no-deps -r requirements/dev.txt ;;
    *) echo "Unknown: $name. Choose from web, train, dev." >&2; exit 2 ;;
    esac
done
