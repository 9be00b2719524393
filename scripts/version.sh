#!/bin/sh
# The version of this source tree: from git, or in a tarball that git archive made from what it wrote into VERSION.
cd "$(dirname "$0")/.." || exit 1
if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$(pwd -P)" ] && git describe --tags --always --dirty 2>/dev/null; then
	exit
fi
while read -r line; do
	case $line in
	'' | '$Format'*) ;;
	*) echo "$line" && exit ;;
	esac
done <VERSION
echo unknown
