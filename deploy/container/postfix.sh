#!/bin/sh
# Postfix of the compose file: makes main.cf and master.cf from deploy/postfix, in a folder that may be in memory, and
# starts it. What differs from one machine is only where the two find each other: names in the place of 127.0.0.1.
#   GATEWAY    where the gateway listens, HOST:PORT
#   PEERS      the network that both are in: the gateway may hand mail back and say whose it is
#   MYHOSTNAME our name; RELAY_DOMAINS whose mail we take; RELAY where it goes ([mail.example.gov.vn]:25)
set -eu

GATEWAY=${GATEWAY:-gateway:10025}
PEERS=${PEERS:-172.30.77.0/24}
SNIPPETS=${SNIPPETS:-/usr/local/share/mailwarden/postfix}
CONFIG=${CONFIG:-/run/postfix-config}

render() {
    mkdir -p "$CONFIG"
    for name in dynamicmaps.cf postfix-files; do
        [ ! -e "/etc/postfix/$name" ] || cp "/etc/postfix/$name" "$CONFIG/$name"
    done
    {
        cat <<END
compatibility_level = 3.6
maillog_file = /dev/stdout
myhostname = ${MYHOSTNAME:-mail.example.gov.vn}
mydestination =
relay_domains = ${RELAY_DOMAINS:-example.gov.vn}
relay_transport = smtp:${RELAY:-[mail.example.gov.vn]:25}
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
END
        cat "$SNIPPETS/main.cf"
    } >"$CONFIG/main.cf"
    {
        # Debian's services, without its public port, which the snippet has; nothing is in a chroot: the container is one.
        sed -e '/^smtp  *inet/d' -e 's/^\([a-z0-9:.-]* *[a-z-]* *[yn-] *[yn-] *\)[y-]\( \)/\1n\2/' \
            /usr/share/postfix/master.cf.dist
        sed -e "s/127\.0\.0\.1:10025/$GATEWAY/" -e 's/^127\.0\.0\.1:10026 /10026 /' \
            -e "s|=127\.0\.0\.0/8|=127.0.0.0/8,$PEERS|" "$SNIPPETS/before-queue.master.cf"
    } >"$CONFIG/master.cf"
}

case ${1:-start} in
    render) render ;;
    start)
        render
        exec postfix -c "$CONFIG" start-fg
        ;;
    check) exec postfix -c "$CONFIG" status ;;
    *) echo "usage: postfix.sh start | check | render" >&2 && exit 2 ;;
esac
