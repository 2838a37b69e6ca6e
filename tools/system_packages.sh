#!/bin/sh
# Make sure the Debian packages are there that `make run`, `make run-print`, `make test`, `make test-fresh` or `make screenshots` needs.
# As root they are installed; for anybody else the one line to type is printed.
set -eu

missing=""
need() { # need PACKAGE COMMAND: PACKAGE is missing unless COMMAND (or that file) is found
    command -v "$2" >/dev/null 2>&1 || [ -f "$2" ] || missing="$missing $1"
}

python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null 2>&1; then
    missing="$missing python3 python3-venv"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Python 3.11 or newer is needed; $python is $("$python" -V 2>&1 | cut -d' ' -f2)." >&2
    echo "Debian 12 and 13 and Raspberry Pi OS of these have it. Elsewhere: make PYTHON=/path/to/python3.11 run" >&2
    exit 1
elif ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    missing="$missing python3-venv"
fi

if [ "${1:-run}" = fresh ]; then
    need git git
    need debootstrap /usr/sbin/debootstrap
fi
if [ "${1:-run}" = pictures ]; then
    need tmux tmux
    set -- test
fi
PATH="$PATH:/usr/sbin:/sbin"
if [ "${1:-run}" = print ] || [ "${1:-run}" = test ]; then
    need cups-daemon cupsd
    need cups-client lpadmin
    need cups-filters /usr/lib/cups/filter/pdftopdf
    need cups /usr/lib/cups/filter/rastertoepson
fi
if [ "${1:-run}" = test ]; then
    # ippeveprinter insists on announcing itself; it gets a D-Bus and an Avahi of its own.
    need cups-ipp-utils ippeveprinter
    need avahi-daemon avahi-daemon
    need dbus-daemon dbus-daemon
    need poppler-utils pdftotext
    # Compiled when they are installed: the AL grammar on Python 3.11, four parts of Home Assistant on 3.13.
    need "g++" c++
    # Python's headers; a Python not from Debian brings its own.
    need python3-dev "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))' 2>/dev/null)/Python.h"
    need openssl openssl
    # The other end of TLS with a meter; loaded by name, so it is looked for where Debian keeps libraries.
    need libgnutls30 "$(ldconfig -p 2>/dev/null | sed -n 's/.*=> \(.*libgnutls\.so\.30\)$/\1/p' | head -n 1)"
    need mosquitto mosquitto
    need mosquitto-clients mosquitto_sub
    need chromium chromium
    need systemd systemd-analyze
fi

[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Debian packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # The broker the tests start is theirs; Debian's own service must not start.
    # shellcheck disable=SC2086 # the list is words
    RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "These Debian packages are missing. Type this line, then run make again:" >&2
    echo "  sudo apt-get install -y$missing" >&2
    exit 1
fi
