#!/bin/sh
# Give a new configuration a name made of the computer's: two gateways on one broker must not have the same.
# Usage: name_gateway.sh CONFIGURATION COMPUTER
set -eu
id=$(printf '%s' "$2" | tr 'A-Z.-' 'a-z__' | tr -cd 'a-z0-9_' | cut -c 1-32)
case $id in
    [a-z]*) ;;
    *) id="gateway_$id" ;;
esac
sed -i "s/^\(name\|base_topic\) = .*/\1 = \"$id\"/" "$1"
