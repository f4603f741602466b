#!/usr/bin/env bash
# Configures the headers of an nginx source tree outside of it:
#   configure-nginx.sh SOURCE TARGET ["ARGUMENTS as nginx -V prints them"]
# TARGET becomes a tree of links to SOURCE with an objs/ of its own, since
# nginx's configure writes beside itself and SOURCE may be read-only.
set -euo pipefail

source_dir=$1
target_dir=$2
arguments=${3-}

flags=()
if [ -f "$source_dir/conf_flags" ]; then
    # Debian's nginx-dev: the arguments that matter, as an array.
    # shellcheck disable=SC1091
    . "$source_dir/conf_flags"
    flags=("${NGX_CONF_FLAGS[@]}")
elif [ -z "$arguments" ]; then
    # No nginx to ask: what the module needs, and most packages have.
    flags=(--with-compat --with-threads --with-http_ssl_module
        --with-http_v2_module --with-http_realip_module)
else
    # nginx -V quotes as a shell does. Modules to be built along are left
    # out, their sources are not here and the headers do not depend on them;
    # so are libraries' source trees.
    eval "all=($arguments)"
    # shellcheck disable=SC2154
    for argument in "${all[@]}"; do
        case $argument in
            --add-module=* | --add-dynamic-module=*) ;;
            --with-openssl=* | --with-pcre=* | --with-zlib=*) ;;
            --with-libatomic=* | --with-*=dynamic | --build=*) ;;
            *) flags+=("$argument") ;;
        esac
    done
fi

rm -rf "$target_dir"
mkdir -p "$target_dir"
ln -s "$source_dir/auto" "$target_dir/auto"
ln -s "$source_dir/src" "$target_dir/src"

# A release has "configure" at its top, nginx's repository in auto/.
configure=$source_dir/configure
if [ ! -f "$configure" ]; then
    configure=$source_dir/auto/configure
fi

cd "$target_dir"
sh "$configure" ${flags[@]+"${flags[@]}"}
