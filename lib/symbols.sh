#!/bin/sh
# Writes the version script of the shared library: what the public headers declare, by tier, and nothing else.
#
#   symbols.sh HEADER... > libai8xsim.map
#
# A name's version says since which soname it is there; names of the experimental tier have a version of their
# own, so that `objdump -T` tells which promises a program relies on (docs/versions.md).
set -eu

# Declarations marked with $1, their names one a line.
names() {
	mark=$1
	shift
	# A declaration may go on in the next line; the name is the word before the first parenthesis.
	cat "$@" | awk -v mark="$mark" '
		$1 == mark && index($0, "#define") == 0 { taking = 1; text = "" }
		taking {
			text = text " " $0
			if (match(text, /ai8x_[a-z0-9_]+\(/)) {
				print "\t\t" substr(text, RSTART, RLENGTH - 1) ";"
				taking = 0
			}
		}' | sort -u
}

echo "AI8XSIM_0 {"
echo "	global:"
names AI8X_API "$@"
echo "	local:"
echo "		*;"
echo "};"
echo "AI8XSIM_EXPERIMENTAL_0 {"
echo "	global:"
names AI8X_API_EXPERIMENTAL "$@"
echo "};"
