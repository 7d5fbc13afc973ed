#!/usr/bin/env bash
# Makes this checkout ready: `deploy/setup.sh run` to run the gateway, `deploy/setup.sh test` to test it as well,
# `deploy/setup.sh bench` to measure it beside others too.
#
# Debian and Ubuntu packages are installed where something is missing (elsewhere their names are printed), then .venv
# is filled from the lock files. Every file that is installed, build tools included, is checked against its hash.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
    run) locks=(requirements-build.lock requirements.lock) ;;
    test | bench) locks=(requirements-build.lock requirements-dev.lock) ;;
    *) echo "usage: deploy/setup.sh run|test|bench" >&2; exit 2 ;;
esac

# Version managers put commands for versions they do not have on the path: only running one tells.
find_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

missing_packages() {
    local python
    python=$(find_python)
    if [ ! -x .venv/bin/python ]; then
        [ -n "$python" ] || echo python3
        "${python:-false}" -c 'import ensurepip, venv' 2>/dev/null || echo "${python:-python3}-venv"
    fi
    [[ $(/sbin/ldconfig -p) == *libmagic.so.1* ]] || echo libmagic1
    [[ $(/sbin/ldconfig -p) == *libarchive.so.13* ]] || echo libarchive13
    if [ "$1" != run ]; then
        [ -x /usr/bin/tesseract ] || echo tesseract-ocr
        [ -e /usr/share/tesseract-ocr/5/tessdata/vie.traineddata ] || echo tesseract-ocr-vie
        [ -x /usr/sbin/postfix ] || echo postfix
        command -v swaks >/dev/null || echo swaks
        command -v miltertest >/dev/null || echo miltertest
        command -v chromium >/dev/null || echo chromium
        [ -x /usr/sbin/clamd ] || echo clamav-daemon
        [ -d /usr/share/clamav-testfiles ] || echo clamav-testfiles  # harmless files that scanners must open
        [ -x /usr/sbin/opendkim ] || echo opendkim                   # signs what sender_auth must verify
        command -v rspamd >/dev/null || echo rspamd
        [ -x /usr/sbin/spamd ] || echo spamassassin spamd spamc
        [ -x /usr/sbin/dnsmasq ] || echo dnsmasq-base
        # What deploy/ has for them is read by them: units, profile, rotation, scripts, the balancer's configuration.
        command -v systemd-analyze >/dev/null || echo systemd
        [ -x /usr/sbin/haproxy ] || echo haproxy
        [ -x /usr/sbin/apparmor_parser ] || echo apparmor
        [ -x /usr/sbin/logrotate ] || echo logrotate
        command -v shellcheck >/dev/null || echo shellcheck
        # The installer is tried on a throwaway machine, in namespaces (tests/deploy/machine.py).
        [ -x /usr/sbin/ip ] || [ -x /bin/ip ] || echo iproute2
        command -v prometheus >/dev/null || echo prometheus  # and promtool: rules and dashboards are tried with it
        [ -x /sbin/mkfs.ext4 ] || echo e2fsprogs
    fi
    if [ "$1" = bench ]; then
        /usr/bin/python3 -c 'import Milter' 2>/dev/null || echo python3-milter  # what the milter is measured against
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "setup: not root, and there is no sudo; run as root: $*" >&2
        exit 1
    fi
}

install_packages() {
    echo "setup: installing system packages: $*"
    if ! command -v apt-get >/dev/null; then
        echo "setup: this is neither Debian nor Ubuntu; please install what these packages hold: $*" >&2
        exit 1
    fi
    as_root apt-get update --quiet
    # The tests run servers of their own; the system's are neither configured nor started (invoke-rc.d(8)).
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin /usr/sbin/policy-rc.d
        trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    as_root debconf-set-selections <<<"postfix postfix/main_mailer_type select No configuration"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends "$@" </dev/null
}

# Sendmail and Postfix exclude each other as packages: for its test Sendmail is unpacked, not installed.
unpack_sendmail() {
    local folder
    [ ! -e build/sendmail ] || return 0
    echo "setup: unpacking sendmail into build/sendmail"
    folder=$(mktemp -d)
    (
        cd "$folder"
        names=(sendmail-bin sendmail-base sendmail-cf m4 libsigsegv2 libwrap0 liblockfile1)
        apt-get download --quiet "${names[@]}" || { as_root apt-get update --quiet && apt-get download --quiet "${names[@]}"; }
        for each in *.deb; do dpkg --extract "$each" root; done
    )
    mkdir -p build
    mv "$folder/root" build/sendmail
    rm -rf "$folder"
}

mapfile -t packages < <(missing_packages "$1")
if [ "${#packages[@]}" -gt 0 ]; then
    install_packages "${packages[@]}"
fi

if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    if [ -z "$python" ]; then
        echo "setup: Python 3.11 or newer is needed (Debian 12, Ubuntu 24.04); $(python3 --version) is too old" >&2
        exit 1
    fi
    echo "setup: making .venv with $("$python" --version)"
    "$python" -m venv .venv
fi

if [ "$1" != run ] && command -v apt-get >/dev/null; then
    unpack_sendmail
fi

stamp=.venv/installed-${1/bench/test}
wanted=$(cat "${locks[@]}" pyproject.toml deploy/setup.sh | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "setup: installing ${locks[*]} into .venv"
    pip=(.venv/bin/python -m pip --disable-pip-version-check install --quiet)
    "${pip[@]}" --require-hashes -r "${locks[0]}"
    # What has no wheel is built with the tools of the first lock file, not with whatever is newest today.
    "${pip[@]}" --require-hashes --no-build-isolation -r "${locks[1]}"
    "${pip[@]}" --no-build-isolation --no-deps --editable .
    echo "$wanted" >"$stamp"
fi
echo "setup: ready"
