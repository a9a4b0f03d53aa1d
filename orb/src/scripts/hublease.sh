# shellcheck shell=sh
# Runs the client. One script for `login`, `logout`, `exec` and `check`, so that there is one way in which a parameter
# becomes a flag: PARAM_ACTION names the command, every other PARAM_… is a parameter of it.
#
# No secret passes through here: parameters name the variables that hold them, and the client reads those itself.
{ set +x; } 2> /dev/null
set -eu

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
            value=$(circleci env subst "$value" 2> /dev/null) || fail "the variables in '$1' cannot be filled in" \
                "this needs CircleCI's own 'circleci env subst'; another program called circleci may hide it on PATH"
            ;;
    esac
}

# Whether a `login` or `exec` has left a record, in one of the directories where the client keeps them.
is_recorded() {
    for records in "${RUNNER_TEMP:+$RUNNER_TEMP/hublease}" "${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/hublease}" \
        "${TMPDIR:-/tmp}/hublease-$(id -u)"; do
        [ -z "$records" ] || [ -z "$(ls -A "$records" 2> /dev/null)" ] || return 0
    done
    return 1
}

# By its whole path, because a shell that does not read $BASH_ENV does not have the directory on PATH.
expand "$PARAM_INSTALL_DIR"
program=$value/hublease
[ -x "$program" ] || program=$(command -v hublease) || {
    # It runs although the steps before it failed: if they never came as far as the installation, that is no failure.
    if [ "$PARAM_ACTION" = logout ] && ! is_recorded; then
        echo 'hublease is not installed and has left no record: nothing to undo'
        exit 0
    fi
    fail "hublease is neither in $value nor on PATH" \
        'leave install at true, put hublease into the image, or give every command the same install_dir'
}

provider=$(printenv PARAM_PROVIDER) || provider=auto
username=$(printenv PARAM_USERNAME) || username=
newline='
'
set -f
set --
for flag in provider registry username scope expires-in audience audience-elsewhere connection-id broker-url \
    vault-addr vault-namespace vault-auth-path vault-role vault-path vault-method vault-data vault-username-field \
    vault-secret-field vault-redirect-origin secret-env username-env ca-cert client isolated copy-auths renew \
    strict-revoke probe-dead push verbose; do
    value=$(printenv "PARAM_$(printf %s "$flag" | LC_ALL=C tr 'a-z-' 'A-Z_')") || continue
    # Left to the client, which looks at its variables before its defaults.
    case $flag:$value in
        *: | provider:auto | expires-in:0 | vault-method:auto | client:docker) continue ;;
    esac
    case $flag in
        audience-elsewhere | isolated | copy-auths | renew | strict-revoke | probe-dead | push | verbose)
            # CircleCI hands a boolean over as 1 or 0.
            case $flag:$value:${PARAM_COPY_AUTHS:-0} in
                isolated:*:1 | isolated:*:true) ;;
                copy-auths:1:* | copy-auths:true:*) set -- "$@" --isolated=copy-auths ;;
                *:1:* | *:true:*) set -- "$@" "--$flag" ;;
            esac
            ;;
        secret-env | username-env)
            # They have names of variables as defaults, and with another provider they are errors.
            case $provider:$flag:$username in
                static:secret-env:* | static:username-env:) set -- "$@" "--$flag=$value" ;;
            esac
            ;;
        registry | scope | vault-data)
            expand "$value"
            IFS=$newline
            for line in $value; do
                set -- "$@" "--$flag=$line"
            done
            unset IFS
            ;;
        *)
            expand "$value"
            set -- "$@" "--$flag=$value"
            ;;
    esac
done

case $PARAM_ACTION in
    exec)
        # As CircleCI would run the command itself.
        if shell=$(command -v bash); then
            set -- "$@" -- "$shell" -eo pipefail -c "$PARAM_COMMAND"
        else
            set -- "$@" -- /bin/sh -e -c "$PARAM_COMMAND"
        fi
        ;;
    check)
        expand "$PARAM_IMAGES"
        # One word is one image, and a list may have several lines.
        # shellcheck disable=SC2086
        set -- "$@" -- $value
        ;;
esac
exec "$program" "$PARAM_ACTION" "$@"
