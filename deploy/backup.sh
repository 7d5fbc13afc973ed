#!/bin/sh
# Copies the state of a gateway, running or not, into a new folder: deploy/backup.sh /var/lib/mailwarden /srv/backup
#
# What comes out is kept mail, the audit trail, keys, and what filters have learned; not the spool, whose messages their
# senders still have, nor the index of kept mail, which is made anew. It holds the content of kept mail: keep it as closed.
# To restore, see README.md beside this file.
set -eu
umask 077

if [ $# != 2 ] || [ ! -d "$1/store" ]; then
    echo "usage: backup.sh STATE FOLDER (STATE is a gateway's, with a store)" >&2
    exit 2
fi
state=$1 name=$(date -u +%Y%m%dT%H%M%SZ)
part=$2/.$name.part
trap 'rm -rf "$part" "$part.failed"' EXIT
mkdir -p "$2"
mkdir "$part"

# The head first: a trail that ends before its head has lost its end, one that goes on behind it has not.
mkdir "$part/store"
[ ! -f "$state/store/trail.head" ] || cp "$state/store/trail.head" "$part/store/"

# Files of the state get their names when they are whole; one that goes meanwhile (tar says 1) was released or deleted.
{
    tar --create --file=- --directory="$state" --exclude=./spool --exclude='./store/trail.*' --exclude='./store/index-*' \
        --exclude='*.tmp' --exclude='*.lock' --warning=no-file-removed --warning=no-file-changed . ||
        [ $? = 1 ] || : >"$part.failed"
} | tar --extract --file=- --directory="$part"
[ ! -e "$part.failed" ] || exit 1
chmod 700 "$part"

# The trail by SQLite's own copy, which is whole whatever is being written (https://www.sqlite.org/backup.html).
python=/opt/mailwarden/current/venv/bin/python
[ -x "$python" ] || python=python3
"$python" - "$state/store/trail.db" "$part/store/trail.db" <<'END'
import sqlite3
import sys

source, copy = (sqlite3.connect(path) for path in sys.argv[1:])
source.backup(copy)
copy.close()
END

sync -f "$part"
mv "$part" "$2/$name"
echo "$2/$name"
