# shellcheck shell=sh
# Runs the client. One script for `login`, `logout`, `exec`, `check` and `whoami`, so that there is one way in which a
# parameter becomes a flag: HUBLEASE_ORB_ACTION names the command, every other HUBLEASE_ORB_… is a parameter of it.
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
            # Behind a colon, because what begins with `-` would be taken for a flag.
            value=$(circleci env subst ":$value" 2> /dev/null) || fail "the variables in '$1' cannot be filled in" \
                "this needs CircleCI's own 'circleci env subst'; another program called circleci may hide it on PATH"
            value=${value#:}
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
expand "$HUBLEASE_ORB_INSTALL_DIR"
program=$value/hublease
[ -x "$program" ] || program=$(command -v hublease) || {
    # It runs although the steps before it failed: if they never came as far as the installation, that is no failure.
    # What it does for a whole workflow has nothing to do with the steps before it.
    case $HUBLEASE_ORB_ACTION:${HUBLEASE_ORB_WORKFLOW:-0} in
        logout:0 | logout:false)
            if ! is_recorded; then
                echo 'hublease is not installed and has left no record: nothing to undo'
                exit 0
            fi
            ;;
    esac
    fail "hublease is neither in $value nor on PATH" \
        'leave install at true, put hublease into the image, or give every command the same install_dir'
}

provider=${HUBLEASE_ORB_PROVIDER:-auto}
username=${HUBLEASE_ORB_USERNAME-}
newline='
'
set -f
set --
# Every parameter that becomes a flag by its name. Written out, because `printenv` is not in every busybox, and a program
# that is missing must not look like a parameter that is not set.
for pair in "provider=$provider" "registry=${HUBLEASE_ORB_REGISTRY-}" "username=$username" \
    "scope=${HUBLEASE_ORB_SCOPE-}" "expires-in=${HUBLEASE_ORB_EXPIRES_IN-}" "audience=${HUBLEASE_ORB_AUDIENCE-}" \
    "audience-elsewhere=${HUBLEASE_ORB_AUDIENCE_ELSEWHERE-}" "connection-id=${HUBLEASE_ORB_CONNECTION_ID-}" \
    "broker-url=${HUBLEASE_ORB_BROKER_URL-}" "vault-addr=${HUBLEASE_ORB_VAULT_ADDR-}" \
    "vault-namespace=${HUBLEASE_ORB_VAULT_NAMESPACE-}" "vault-auth-path=${HUBLEASE_ORB_VAULT_AUTH_PATH-}" \
    "vault-role=${HUBLEASE_ORB_VAULT_ROLE-}" "vault-path=${HUBLEASE_ORB_VAULT_PATH-}" \
    "vault-method=${HUBLEASE_ORB_VAULT_METHOD-}" "vault-data=${HUBLEASE_ORB_VAULT_DATA-}" \
    "vault-username-field=${HUBLEASE_ORB_VAULT_USERNAME_FIELD-}" \
    "vault-secret-field=${HUBLEASE_ORB_VAULT_SECRET_FIELD-}" \
    "vault-redirect-origin=${HUBLEASE_ORB_VAULT_REDIRECT_ORIGIN-}" "secret-env=${HUBLEASE_ORB_SECRET_ENV-}" \
    "username-env=${HUBLEASE_ORB_USERNAME_ENV-}" "ca-cert=${HUBLEASE_ORB_CA_CERT-}" "client=${HUBLEASE_ORB_CLIENT-}" \
    "isolated=${HUBLEASE_ORB_ISOLATED-}" "renew=${HUBLEASE_ORB_RENEW-}" \
    "strict-revoke=${HUBLEASE_ORB_STRICT_REVOKE-}" "probe-dead=${HUBLEASE_ORB_PROBE_DEAD-}" \
    "workflow=${HUBLEASE_ORB_WORKFLOW-}" "push=${HUBLEASE_ORB_PUSH-}" "verbose=${HUBLEASE_ORB_VERBOSE-}"; do
    flag=${pair%%=*} value=${pair#*=}
    [ -n "$value" ] || continue
    # Left to the client, which looks at its variables before its defaults.
    case $flag:$value in
        provider:auto | expires-in:0 | vault-method:auto | client:docker) continue ;;
    esac
    case $flag in
        audience-elsewhere | isolated | renew | strict-revoke | probe-dead | workflow | push | verbose)
            # CircleCI hands a boolean over as 1 or 0.
            case $value in
                1 | true) set -- "$@" "--$flag" ;;
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

case $HUBLEASE_ORB_ACTION in
    exec)
        # As CircleCI would run the command itself.
        if shell=$(command -v bash); then
            set -- "$@" -- "$shell" -eo pipefail -c "$HUBLEASE_ORB_COMMAND"
        else
            set -- "$@" -- /bin/sh -e -c "$HUBLEASE_ORB_COMMAND"
        fi
        ;;
    check)
        expand "$HUBLEASE_ORB_IMAGES"
        # One word is one image, and a list may have several lines.
        # shellcheck disable=SC2086
        set -- "$@" -- $value
        ;;
esac
exec "$program" "$HUBLEASE_ORB_ACTION" "$@"
