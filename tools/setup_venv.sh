#!/bin/sh
# Create the virtual environment named by $1 and install topcook (editable) with its tools into it.
set -eu
venv=$1

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "topcook needs Python 3.11 or newer, and none was found on PATH" >&2
    echo "  install one, or name yours: make PYTHON=/path/to/python3.12 ..." >&2
    return 1
}

if ! is_new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    echo "setting up $venv with $("$python" --version) ($(command -v "$python"))"
    # Debian ships venv without ensurepip unless python3-venv is installed; say so before venv half-creates a folder.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$python cannot create virtual environments: its module ensurepip is missing" >&2
        echo "  on Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 1
    fi
    "$python" -m venv --clear "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
