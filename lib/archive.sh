#!/bin/sh
# Makes the archive that is installed: one object, in which what is not public is local.
#
#   archive.sh OBJCOPY AR INTERNAL_ARCHIVE ARCHIVE COMPILER...
set -eu
objcopy=$1 ar=$2 internal=$3 archive=$4
shift 4
object=${archive%.a}.o
"$@" -r -nostdlib -o "$object" -Wl,--whole-archive "$internal" -Wl,--no-whole-archive
"$objcopy" --localize-hidden "$object"
# ar adds to an archive that is there.
rm -f "$archive"
"$ar" crsD "$archive" "$object"
rm -f "$object"
