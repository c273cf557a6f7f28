#!/bin/sh
# List the schedulers, cook the example in $2 with the topcook in $1, and name the picture it made.
set -eu
topcook=$1/topcook
example=$2
picture=$example/work/mosaic.png
PDG_TYPES_PATH=$(cd "$example" && pwd)/types${PDG_TYPES_PATH:+:$PDG_TYPES_PATH}
export PDG_TYPES_PATH

echo "\$ topcook list"
"$topcook" list
echo
echo "\$ topcook cook $example/wedge_sim.toml"
"$topcook" cook "$example/wedge_sim.toml"
if [ ! -s "$picture" ]; then
    echo "the cook ended, but $picture was not made" >&2
    exit 1
fi
echo
echo "the picture: $picture"
