#!/bin/sh
# A CUPS backend that prints into a ledger: capture job user title copies options [file]
#
# A line is added to the ledger when a document is *out*; the ledger is what the tests believe. A line is added to "begun" when
# the printer begins with one. Files in the control folder make this
# printer misbehave; each is named after its queue, and may be changed while a job is being printed:
#   <queue>.sleep   seconds a job takes
#   <queue>.state   lines for standard error, such as "STATE: +media-jam-error" or "ERROR: paper jam"
#   <queue>.dead    the printer is off: a job waits here until the file is gone
#   <queue>.exit    the exit code: with any but 0, nothing is printed
#   <queue>.exits   exit codes, one a line, taken one by one; afterwards <queue>.exit counts
#   keep            documents are kept, as <queue>-<job>.document
if [ $# -eq 0 ]; then
    echo 'direct capture "Unknown" "Prints into a ledger"'
    exit 0
fi
out=${DEVICE_URI#capture:}
control=$out/control/$PRINTER
start=$(date +%s.%N)
document=$6
if [ -z "$document" ]; then
    document=$(mktemp "$out/document.XXXXXX")
    trap 'rm -f "$document"' EXIT
    cat >"$document"
fi

[ ! -e "$control.state" ] || cat "$control.state" >&2
if [ -e "$control.dead" ]; then
    echo 'STATE: +connecting-to-device' >&2
    echo 'WARN: The printer is not responding.' >&2
    while [ -e "$control.dead" ]; do sleep 0.1; done
    echo 'STATE: -connecting-to-device' >&2
fi
tab=$(printf '\t')
echo "$PRINTER$tab$1$tab$3$tab$start" >>"$out/begun"
[ ! -e "$control.sleep" ] || sleep "$(cat "$control.sleep")"

[ -s "$document" ] || exit 0 # a filter failed: no paper moves
code=0
[ ! -e "$control.exit" ] || code=$(cat "$control.exit")
if [ -s "$control.exits" ]; then
    code=$(head -n 1 "$control.exits")
    sed -i 1d "$control.exits"
fi
[ "$code" = 0 ] || exit "$code"

digest=$(sha256sum "$document")
[ ! -e "$out/control/keep" ] || cp "$document" "$out/$PRINTER-$1.document"
# One write of one short line: lines of several printers never mix.
echo "$PRINTER$tab$1$tab$2$tab$3$tab$4$tab$5$tab${digest%% *}$tab$(wc -c <"$document")$tab$start$tab$(date +%s.%N)" >>"$out/ledger"
