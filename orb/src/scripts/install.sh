# shellcheck shell=sh
# Puts the client into a directory of the user: this orb's own version, after comparing the checksum that the orb carries.
#
# HUBLEASE_ORB_INSTALL_DIR where to, HUBLEASE_ORB_MIRROR where from. The version and the checksums are filled in when
# the orb is packed.
# A file that is there already and has the right checksum is kept, and nothing is fetched.
{ set +x; } 2> /dev/null
set -eu

version='@VERSION@'
build_it='build it from its source, put it on PATH, and set install to false'

fail() {
    printf 'error: %s\nhint: %s\n' "$1" "$2" >&2
    exit 1
}

# Leaves in `value` what a parameter says, with its variables filled in as CircleCI does it elsewhere; never by `eval`.
expand() {
    value=$1
    case $value in
        "\$HOME/"* | "\${HOME}/"*) value=${HOME:?}/${value#*/} ;;
    esac
    case $value in
        *\$*)
            # Behind a colon, because what begins with `-` would be taken for a flag.
            value=$(circleci env subst ":$value" 2> /dev/null) || fail "the variables in '$1' cannot be filled in" \
                "this needs CircleCI's own 'circleci env subst'; another program called circleci may hide it on PATH"
            value=${value#:}
            ;;
    esac
}

checksum() {
    if command -v sha256sum > /dev/null; then
        sha256sum < "$1" | cut -d ' ' -f 1
    elif command -v shasum > /dev/null; then
        shasum -a 256 < "$1" | cut -d ' ' -f 1
    else
        openssl dgst -sha256 -r < "$1" | cut -d ' ' -f 1
    fi
}

# The client is smaller than 4 MB. What is larger than 10 MB, or 20 MB in bash, is cut off.
fetch() (
    ulimit -f 20480
    if command -v curl > /dev/null; then
        curl --fail --silent --show-error --location --retry 3 --connect-timeout 10 --max-time 120 --output "$2" "$1"
    else
        wget -q -T 60 -O "$2" "$1"
    fi
)

# Later steps find the program by its name; only bash reads the file, so this orb itself uses the whole path.
announce() {
    [ -n "${BASH_ENV:-}" ] || return 0
    line="export PATH=\"$1:\$PATH\""
    grep -qxF "$line" "$BASH_ENV" 2> /dev/null || printf '%s\n' "$line" >> "$BASH_ENV"
}

case $(uname -s) in
    Linux) ;;
    *) fail "there is no hublease to fetch for $(uname -s)" "$build_it" ;;
esac
case $(uname -m) in
    x86_64 | amd64) target=x86_64-unknown-linux-musl wanted='@SHA256_X86_64@' ;;
    aarch64 | arm64) target=aarch64-unknown-linux-musl wanted='@SHA256_AARCH64@' ;;
    *) fail "there is no hublease to fetch for a $(uname -m) processor, only for x86_64 and aarch64" "$build_it" ;;
esac
case $version$wanted in
    *@*) fail 'this orb was packed without its version or its checksums' 'use a published version of the orb' ;;
esac

expand "$HUBLEASE_ORB_INSTALL_DIR"
directory=$value
case $directory in
    *[\"\\\`\$:]* | *"
"*) fail "the directory $directory cannot be put on PATH" 'choose an install_dir without quotes, colons and the like' ;;
    /*) ;;
    *) fail "install_dir is '$directory', which is no absolute path" "begin it with / or \$HOME/" ;;
esac
program=$directory/hublease

command -v sha256sum > /dev/null || command -v shasum > /dev/null || command -v openssl > /dev/null ||
    fail 'nothing here can compute a SHA-256 checksum' 'install one of sha256sum, shasum and openssl'
if [ -x "$program" ] && [ "$(checksum "$program")" = "$wanted" ]; then
    announce "$directory"
    echo "hublease $version is in $directory already"
    exit 0
fi

command -v curl > /dev/null || command -v wget > /dev/null || fail 'neither curl nor wget is here' \
    'install one of them, or put hublease into the image and set install to false'
if ! mkdir -p "$directory" || ! part=$(mktemp "$directory/.hublease.XXXXXX"); then
    fail "nothing can be written to $directory" 'set install_dir to a directory that this user may write to'
fi
trap 'rm -f "$part"' EXIT

expand "$HUBLEASE_ORB_MIRROR"
url=${value%/}/v$version/hublease-v$version-$target
fetch "$url" "$part" || fail "$url cannot be fetched" \
    'look at the network and the proxy; the parameter mirror can name a server of yours'
found=$(checksum "$part")
[ "$found" = "$wanted" ] || fail \
    "what $url gave is not hublease $version: its SHA-256 is $found, and this orb carries $wanted" \
    'the transfer was cut off, or the file is another one; nothing was installed'
chmod 0755 "$part"
"$part" --version > /dev/null || fail "hublease cannot be run from $directory" \
    'set install_dir to a directory from which programs may be run (no noexec)'
mv -f "$part" "$program"
announce "$directory"
echo "hublease $version for $target is in $directory"
