#!/bin/sh
# The command of an ippeveprinter: everywhere.sh document. Notes each job's ticket when its document is out.
#
# $SHOP is the printer's folder. Files there make it misbehave: sleep (seconds a job takes), state (lines for standard
# error: STATE:, ATTR:, ERROR:), exit (the exit code: with any but 0 nothing is printed, the job is aborted).
[ ! -e "$SHOP/state" ] || cat "$SHOP/state" >&2
[ ! -e "$SHOP/sleep" ] || sleep "$(cat "$SHOP/sleep")"
[ ! -e "$SHOP/exit" ] || exit "$(cat "$SHOP/exit")"
note=$(mktemp "$SHOP/note.XXXXXX")
env | grep '^IPP_' >"$note"
digest=$(sha256sum "$1")
echo "DOCUMENT_SHA256=${digest%% *}" >>"$note"
echo "DOCUMENT_FORMAT=$CONTENT_TYPE" >>"$note"
mv "$note" "$SHOP/jobs/$(date +%s.%N)"
