# shellcheck shell=bash
# apt, for scripts: quiet, without questions, and with lists of its own where
# another release's packages or sources are needed, so that the system's own
# configuration is never changed. Needs common.sh.

export DEBIAN_FRONTEND=noninteractive

# Whoever else uses apt at this moment is waited for.
APT_OPTIONS=(-qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3
    -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root)

is_installed() {
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2> /dev/null) in
        ?i*) return 0 ;;
    esac
    return 1
}

is_available() {
    local policy
    policy=$(apt-cache policy "$1" 2> /dev/null)
    grep -q '^  Candidate: [^(]' <<< "$policy"
}

# The lock of the lists is the one that apt itself does not wait for.
apt_update() {
    local try
    for try in 1 2 3 4 5 6; do
        if as_root apt-get "${APT_OPTIONS[@]}" update; then
            return 0
        fi
        echo "apt-get update failed ($try)"
        sleep 5
    done
    return 1
}

# A package that brings a server must not start it: nginx would take port 80
# of a machine whose owner only wanted to try this.
apt_install_now() {
    local policy=/usr/sbin/policy-rc.d status=0

    if [ -e "$policy" ]; then
        policy=''
    else
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" > /dev/null
        as_root chmod 755 "$policy"
    fi
    as_root apt-get "${APT_OPTIONS[@]}" install -y --no-install-recommends \
        "$@" || status=$?
    if [ -n "$policy" ]; then
        as_root rm -f "$policy"
    fi
    return "$status"
}

# apt_install PACKAGE...: installs those that are missing.
apt_install() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} = 0 ]; then
        return 0
    fi

    step "Installing ${missing[*]}"
    quietly apt-update.log apt_update
    quietly apt-install.log apt_install_now "${missing[@]}"
}

# The archives that the system uses, one a line: "URI SUITE".
apt_archives() {
    local archives format
    # shellcheck disable=SC2016
    format='$(REPO_URI) $(RELEASE)'
    archives=$(apt-get indextargets --format "$format" 'Identifier: Packages' \
        'Component: main' 2> /dev/null | sort -u)
    if [ -z "$archives" ]; then
        quietly apt-update.log apt_update || return 1
        archives=$(apt-get indextargets --format "$format" \
            'Identifier: Packages' 'Component: main' | sort -u)
    fi
    # Only what the distribution itself signs.
    grep -E "/(debian|debian-security|ubuntu)[^ ]*/? " <<< "$archives"
}

# Where the distribution's other releases are, too.
apt_mirror() {
    apt_archives | awk '!/security/ && !found++ { print $1 }'
}

# apt_own NAME ENTRY...: lists of our own below build/apt/NAME, from entries
# "deb|deb-src URI SUITE". Sets APT_OWN, the options that make apt use them.
apt_own() {
    local folder=$BUILD/apt/$1 keyring entry type uri suite signed=''
    shift

    for keyring in debian ubuntu; do
        if [ -f "/usr/share/keyrings/$keyring-archive-keyring.gpg" ]; then
            signed="[signed-by=/usr/share/keyrings/$keyring-archive-keyring.gpg]"
            break
        fi
    done

    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    for entry in "$@"; do
        read -r type uri suite <<< "$entry"
        echo "$type $signed $uri $suite main"
    done > "$folder/sources.list"

    APT_OWN=("${APT_OPTIONS[@]}"
        -o Dir::Etc::SourceList="$folder/sources.list"
        -o Dir::Etc::SourceParts=/dev/null
        -o Dir::State::Lists="$folder/lists"
        -o Dir::Cache="$folder/cache"
        -o APT::Get::List-Cleanup=true)
    quietly "apt-${folder##*/}.log" apt-get "${APT_OWN[@]}" update
}

distribution() {
    # shellcheck disable=SC1091
    (. /etc/os-release && echo "$ID")
}
