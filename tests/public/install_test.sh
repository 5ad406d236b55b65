#!/bin/sh
# What a user does: installs Orrery somewhere, and builds programs with its one header and pkg-config, against the shared
# and against the static library.  install_test.sh BUILD EXAMPLE.c USE.cpp
set -eu
build=$1 example=$2 cpp=$3
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
meson install -C "$build" --no-rebuild --quiet --destdir "$root/installed"
pc=$(find "$root/installed" -name orrery.pc)
[ -n "$pc" ] || { echo "no orrery.pc was installed"; exit 1; }

# DESTDIR is not where the package says it is: say so to pkg-config, for this package alone.
prefix=$(sed -n 's/^prefix=//p' "$pc")
mkdir "$root/pc"
sed "s|^prefix=.*|prefix=$root/installed$prefix|" "$pc" >"$root/pc/orrery.pc"
export PKG_CONFIG_PATH="$root/pc"
flags=$(pkg-config --cflags orrery)
shared=$(pkg-config --libs orrery)
static=$(pkg-config --libs --static orrery | sed 's/-lorrery/-l:liborrery.a/')
libdir=$(pkg-config --variable=libdir orrery)
strict="-Wall -Wextra -Wpedantic -Werror"

check() { # what, expected, program
    got=$(LD_LIBRARY_PATH="$libdir" "$3") || { echo "$1: exit code $?"; exit 1; }
    [ "$got" = "$2" ] || { echo "$1: expected $2, got $got"; exit 1; }
}
# shellcheck disable=SC2086 # lists of words are meant
{
    cc -std=c11 $strict $flags "$example" -o "$root/shared" $shared
    cc -std=c11 $strict $flags "$example" -o "$root/static" $static
    c++ -std=c++17 $strict $flags "$cpp" -o "$root/cpp" $shared
}
check "shared" 6 "$root/shared"
check "static" 6 "$root/static"
check "C++" 47 "$root/cpp"
if ldd "$root/static" | grep -q liborrery; then echo "static: still wants liborrery.so"; exit 1; fi
if pkg-config --libs orrery | grep -qE 'openblas|sqlite|arpack'; then echo "shared: drags in what is private"; exit 1; fi
echo "installed, built and run: shared, static, C++"
