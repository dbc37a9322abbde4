#!/bin/sh
# Prints the first Python that is new enough and can make virtual environments, or says what to install (exit 3).
# $PYTHON, if set, is tried alone.
check='import sys, ssl, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    if "$candidate" -c "$check" >/dev/null 2>&1; then
        command -v "$candidate"
        exit 0
    fi
done
found=$(for c in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    "$c" -c 'import sys; print("%s is Python %d.%d" % (sys.executable, sys.version_info[0], sys.version_info[1]))' 2>/dev/null
done | sort -u | tr '\n' ',' | sed 's/,$//; s/,/, /g')
{
    echo "cpor: Python 3.11 or newer with the venv module is needed, and none was found."
    [ -z "$found" ] || echo "cpor: seen: $found."
    echo "cpor: install it (Debian: python3 and python3-venv; macOS: python from the usual installer), or name one: make PYTHON=/path/to/python3.12 ..."
} >&2
exit 3
