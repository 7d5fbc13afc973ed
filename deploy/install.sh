#!/bin/sh
# Installs Mailwarden from this checkout as a service, upgrades it, goes back, or takes it away. Doing it twice changes
# nothing the second time; each change is printed. What the administrator wrote in /etc is never touched.
#
#   /opt/mailwarden/releases/ID   the program (venv), policies and documentation of one release; two are kept
#   /opt/mailwarden/current       a link to the release in force
#   /etc/mailwarden               gateway.yaml, policy.yaml, accounts.csv: yours; packs and lists are links into current
#   /var/lib/mailwarden           spool, store, audit trail
set -eu

usage() {
    cat <<'END'
usage: deploy/install.sh [OPTION...] install | rollback | uninstall

  install            install, or upgrade to this checkout
  rollback           put the release before this one in force
  uninstall          remove the service and the program; settings, mail and audit trail stay
    --purge          remove these too (the audit trail has to be kept for as long as the regulations say)

  --root DIR         install below DIR and start nothing (for packages, images and tests)
  --wheels DIR       take Python packages from DIR and ask no server. DIR is made on a machine with the same Python by
                     pip download --require-hashes -r requirements.lock -d DIR, and again for requirements-build.lock
  --environment DIR  use this virtual environment instead of making one
  --no-start         do not start, restart or enable anything
END
}

say() { echo "install: $*"; }
fail() {
    echo "install: $*" >&2
    exit 1
}
changed() {
    changes=$((changes + 1))
    say "$*"
}

root='' wheels='' environment='' start=yes purge=no action='' changes=0
while [ $# -gt 0 ]; do
    case $1 in
        --root) root=${2:?} start=no && shift ;;
        --wheels) wheels=${2:?} && shift ;;
        --environment) environment=${2:?} && shift ;;
        --no-start) start=no ;;
        --purge) purge=yes ;;
        install | rollback | uninstall) action=$1 ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift
done
[ -n "$action" ] || { usage >&2 && exit 2; }

source=$(cd "$(dirname "$0")/.." && pwd)
# Absolute without following links, so that venvs, whose scripts name their place, keep working.
case $root in '' | /*) ;; *) root=$PWD/$root ;; esac
root=${root%/}
case $environment in '' | /*) ;; *) environment=$PWD/$environment ;; esac
case $wheels in '' | /*) ;; *) wheels=$PWD/$wheels ;; esac

opt=$root/opt/mailwarden etc=$root/etc/mailwarden state=$root/var/lib/mailwarden
units=$root/etc/systemd/system

# Puts file $1 at $2 with mode $3 if it is not there already just so.
put() {
    if [ ! -f "$2" ] || ! cmp -s "$1" "$2"; then
        mkdir -p "$(dirname "$2")"
        cp "$1" "$2.new"
        chmod "$3" "$2.new"
        mv "$2.new" "$2"
        changed "wrote ${2#"$root"}"
    fi
}

# Makes $2 a link to $1, in one step.
link() {
    if [ "$(readlink "$2" 2>/dev/null)" != "$1" ]; then
        [ ! -e "$2" ] || [ -L "$2" ] || fail "$2 is not a link of ours; move it away"
        ln -s "$1" "$2.new"
        mv -T "$2.new" "$2"
        changed "${2#"$root"} -> $1"
    fi
}

remove() {
    for each in "$@"; do
        if [ -e "$each" ] || [ -L "$each" ]; then
            rm -rf "$each"
            changed "removed ${each#"$root"}"
        fi
    done
}

live() { [ "$start" = yes ] && [ -d /run/systemd/system ]; }

# The system's: the service sees nobody's home folder (ProtectHome=yes), where a link may lead.
find_python() {
    for candidate in /usr/local/bin/python3 /usr/bin/python3 /usr/bin/python3.1[1-9]; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            case $(readlink -f "$candidate") in /usr/* | /opt/*) ;; *) continue ;; esac
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed (Debian 12, Ubuntu 24.04)"
}

check_machine() {
    missing=
    "$1" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
    for pair in libmagic.so.1:libmagic1 libarchive.so.13:libarchive13; do
        /sbin/ldconfig -p | grep -q "${pair%:*}" || missing="$missing ${pair#*:}"
    done
    [ -z "$missing" ] || fail "first install what is missing: apt-get install$missing"
}

# What is installed, as one word: the version, and a digest of all that makes the program.
release_id() {
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$source/pyproject.toml")
    digest=$(cd "$source" && find gateway filters policies pyproject.toml requirements.lock requirements-build.lock \
        -type f ! -path '*/__pycache__/*' -exec sha256sum {} + | LC_ALL=C sort | sha256sum | cut -c1-12)
    echo "$version-$digest"
}

# A release that is whole has the file `complete`; one that is not, from an interrupted run, is made anew.
make_release() {
    release=$opt/releases/$id
    [ ! -f "$release/complete" ] || return 0
    rm -rf "$release"
    mkdir -p "$release"
    say "making release $id"
    if [ -n "$environment" ]; then
        ln -s "$environment" "$release/venv"
    else
        python=$(find_python)
        check_machine "$python"
        "$python" -m venv "$release/venv"
        set -- "$release/venv/bin/python" -m pip --disable-pip-version-check --quiet install
        [ -z "$wheels" ] || set -- "$@" --no-index --find-links "$wheels"
        "$@" --require-hashes -r "$source/requirements-build.lock"
        "$@" --require-hashes --no-build-isolation -r "$source/requirements.lock"
        "$@" --no-build-isolation --no-deps "$source"
    fi
    cp -R "$source/policies" "$release/policies"
    mkdir "$release/deploy"
    for each in README.md backup.sh postfix sendmail haproxy; do cp -R "$source/deploy/$each" "$release/deploy/"; done
    cp "$source/README.md" "$release/README.md"
    find "$release" -name __pycache__ -path "$release/policies/*" -prune -exec rm -rf {} +
    chmod -R go+rX,go-w "$release"
    : >"$release/complete"
    changed "made release $id"
}

# A policy that the new program does not take would leave the service down: then the old release stays in force.
check_policy() {
    policy=$(sed -n 's/^policy: *//p' "$etc/gateway.yaml" | sed 's/ *#.*//')
    case $policy in /*) policy=$root$policy ;; *) policy=$etc/$policy ;; esac
    # The packs of the new release, not those in force.
    check=$(mktemp -d)
    cp -R "$etc/." "$check"
    for each in packs lists; do ln -sfn "$release/policies/$each" "$check/$each"; done
    case $policy in "$etc"/*) policy=$check/${policy#"$etc"/} ;; esac
    if ! "$release/venv/bin/mailwarden" check "$policy" >"$check/said" 2>&1; then
        cat "$check/said" >&2
        rm -rf "$check"
        fail "release $id does not take the policy in force; nothing was changed in the service"
    fi
    rm -rf "$check"
}

make_user() {
    mkdir -p "$root/etc"
    if ! grep -q '^mailwarden:' "$root/etc/passwd" 2>/dev/null; then
        if command -v systemd-sysusers >/dev/null; then
            systemd-sysusers ${root:+--root="$root"} "$source/deploy/systemd/sysusers.conf" >/dev/null
        else
            useradd ${root:+--prefix "$root"} --system --user-group --home-dir /var/lib/mailwarden \
                --shell /usr/sbin/nologin mailwarden
        fi
        changed "made the user mailwarden"
    fi
    uid=$(awk -F: '$1 == "mailwarden" { print $3 }' "$root/etc/passwd")
    gid=$(awk -F: '$1 == "mailwarden" { print $3 }' "$root/etc/group")
}

# Folder $1 with mode $2 and owner $3.
folder() {
    mkdir -p "$1"
    if [ "$(stat -c '%a %u:%g' "$1")" != "$2 $3" ]; then
        if [ "$(id -u)" = 0 ]; then chown "$3" "$1"; fi
        chmod "$2" "$1"
    fi
}

# The administrator's files: written once, and never again.
make_settings() {
    folder "$etc" 750 "0:$gid"
    folder "$state" 700 "$uid:$gid"
    new=$(mktemp)
    if [ ! -e "$etc/gateway.yaml" ]; then
        sed 's|^policy: .*|policy: policy.yaml|; s|^state: .*|state: /var/lib/mailwarden|' \
            "$source/deploy/postfix/gateway.yaml" >"$new"
        put "$new" "$etc/gateway.yaml" 640
    fi
    [ -e "$etc/policy.yaml" ] || put "$source/policies/default.yaml" "$etc/policy.yaml" 640
    [ -e "$etc/accounts.csv" ] || put "$source/policies/accounts.csv" "$etc/accounts.csv" 640
    rm -f "$new"
    if [ "$(id -u)" = 0 ]; then
        find "$etc" -maxdepth 1 -type f -user 0 ! -group "$gid" -exec chgrp "$gid" {} +
    fi
    for each in packs lists; do link "../../opt/mailwarden/current/policies/$each" "$etc/$each"; done
}

make_service() {
    put "$source/deploy/systemd/mailwarden.service" "$units/mailwarden.service" 644
    put "$source/deploy/systemd/mailwarden.socket" "$units/mailwarden.socket" 644
    put "$source/deploy/systemd/sysusers.conf" "$root/usr/lib/sysusers.d/mailwarden.conf" 644
    put "$source/deploy/systemd/tmpfiles.conf" "$root/usr/lib/tmpfiles.d/mailwarden.conf" 644
    if [ -n "$root" ] || [ -d /etc/apparmor.d ]; then
        put "$source/deploy/apparmor/mailwarden" "$root/etc/apparmor.d/mailwarden" 644
    fi
    mkdir -p "$root/usr/local/bin"
    link ../../../opt/mailwarden/current/venv/bin/mailwarden "$root/usr/local/bin/mailwarden"
}

run_service() {
    live || return 0
    if [ -d /sys/kernel/security/apparmor ] && command -v apparmor_parser >/dev/null; then
        apparmor_parser --replace /etc/apparmor.d/mailwarden
    fi
    systemctl daemon-reload
    systemctl --quiet enable mailwarden.socket mailwarden.service
    if ! systemctl --quiet is-active mailwarden.service; then
        systemctl start mailwarden.socket mailwarden.service
        say "started; it is ready"
    elif [ "$changes" -gt 0 ]; then
        # The sockets stay open meanwhile: who connects waits, and nobody is refused.
        systemctl restart mailwarden.service
        say "restarted; it is ready"
    fi
}

forget_old_releases() {
    # shellcheck disable=SC2012  # the names are ours: a version, a hyphen and hexadecimal digits
    for name in $(ls -t "$opt/releases" | tail -n +3); do
        [ "$name" = "$id" ] || [ "$name" = "$before" ] || remove "$opt/releases/$name"
    done
}

install_all() {
    id=$(release_id)
    before=$(basename "$(readlink "$opt/current" 2>/dev/null || echo none)")
    make_release
    [ ! -e "$etc/gateway.yaml" ] || check_policy
    make_user
    make_settings
    if [ "$before" != "$id" ] && [ "$before" != none ]; then
        echo "$before" >"$opt/releases/$id/before"
    fi
    link "releases/$id" "$opt/current"
    make_service
    run_service
    forget_old_releases
    [ "$changes" -gt 0 ] || say "nothing to change: $id is in force"
}

rollback() {
    before=$(cat "$opt/current/before" 2>/dev/null) || fail "there is no release before this one"
    [ -f "$opt/releases/$before/complete" ] || fail "release $before is not there any more"
    link "releases/$before" "$opt/current"
    run_service
}

uninstall() {
    if live; then
        systemctl --quiet disable --now mailwarden.service mailwarden.socket 2>/dev/null || true
        if [ -d /sys/kernel/security/apparmor ] && [ -f /etc/apparmor.d/mailwarden ]; then
            apparmor_parser --remove /etc/apparmor.d/mailwarden || true
        fi
    fi
    remove "$units/mailwarden.service" "$units/mailwarden.socket" "$root/usr/lib/sysusers.d/mailwarden.conf" \
        "$root/usr/lib/tmpfiles.d/mailwarden.conf" "$root/etc/apparmor.d/mailwarden" \
        "$root/usr/local/bin/mailwarden" "$etc/packs" "$etc/lists" "$opt"
    if [ "$purge" = yes ]; then
        remove "$units/mailwarden.service.d" "$units/mailwarden.socket.d" "$etc" "$state"
    fi
    if live; then systemctl daemon-reload; fi
    [ "$changes" -gt 0 ] || say "nothing to remove"
}

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
    fail "run it as root, or with --root DIR"
fi
case $action in
    install) install_all ;;
    rollback) rollback ;;
    uninstall) uninstall ;;
esac
