# ngx_http_llm_module.so against the headers of one nginx.
#
# nginx loads a dynamic module when its version and the signature (the build
# options that change nginx's structures) are those of the binary, and nothing
# else is checked; so the headers have to be configured as the binary was.
# Where they come from:
#
#   NGINX_SOURCE_DIR  an nginx source tree. When it is configured (there is
#                     NGINX_OBJS_DIR/ngx_auto_config.h), it is used as it is;
#                     else it is configured in the build folder, with the
#                     arguments in its conf_flags (Debian's nginx-dev), or
#                     those that "nginx -V" prints.
#                     Default: /usr/share/nginx/src, Debian's nginx-dev.
#   NGINX_OBJS_DIR    where nginx's ./configure put its output; the default is
#                     NGINX_SOURCE_DIR/objs.
#   NGINX_EXECUTABLE  the nginx that shall load the module; what is built is
#                     checked against it. OFF: no check.
include(GNUInstallDirs)

set(NGINX_SOURCE_DIR /usr/share/nginx/src CACHE PATH
    "nginx source tree, configured or not")
set(NGINX_OBJS_DIR "" CACHE PATH
    "output of nginx's configure; empty: NGINX_SOURCE_DIR/objs")
find_program(NGINX_EXECUTABLE nginx PATHS /usr/sbin /usr/local/nginx/sbin
    /usr/local/sbin DOC "the nginx that shall load the module")

if(NOT EXISTS ${NGINX_SOURCE_DIR}/src/core/nginx.h)
    message(FATAL_ERROR
        "No nginx headers in \"${NGINX_SOURCE_DIR}\". Install nginx-dev "
        "(Debian 12, Ubuntu 23.10 and later), or pass "
        "-DNGINX_SOURCE_DIR=<nginx source tree> "
        "(\"scripts/nginx-source\" fetches that of the installed nginx), or "
        "pass -DLLM_MODULE=OFF to build only the core.")
endif()

# What the headers say, and what the binary says.
file(STRINGS ${NGINX_SOURCE_DIR}/src/core/nginx.h nginx_version_line
    REGEX "#define NGINX_VERSION ")
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" LLM_NGINX_VERSION
    "${nginx_version_line}")

set(nginx_arguments "")
if(NGINX_EXECUTABLE)
    execute_process(COMMAND ${NGINX_EXECUTABLE} -V
        ERROR_VARIABLE nginx_v OUTPUT_QUIET RESULT_VARIABLE nginx_result)
    if(NOT nginx_result EQUAL 0
        OR NOT nginx_v MATCHES "nginx version: [^/]+/([0-9.]+)")
        message(FATAL_ERROR "\"${NGINX_EXECUTABLE} -V\" failed: ${nginx_v}")
    endif()
    set(binary_version ${CMAKE_MATCH_1})

    if(NOT binary_version VERSION_EQUAL LLM_NGINX_VERSION)
        message(FATAL_ERROR
            "The nginx headers in \"${NGINX_SOURCE_DIR}\" are of version "
            "${LLM_NGINX_VERSION}, but \"${NGINX_EXECUTABLE}\" is "
            "${binary_version}: it would refuse the module. Install the "
            "nginx-dev package of ${binary_version}, or pass "
            "-DNGINX_SOURCE_DIR=<source tree of nginx ${binary_version}>; "
            "for another binary pass -DNGINX_EXECUTABLE=<nginx>.")
    endif()
    if(nginx_v MATCHES "configure arguments: ([^\n]*)")
        set(nginx_arguments "${CMAKE_MATCH_1}")
    endif()
endif()

# The headers that ./configure writes.
if(NGINX_OBJS_DIR)
    set(nginx_objs ${NGINX_OBJS_DIR})
else()
    set(nginx_objs ${NGINX_SOURCE_DIR}/objs)
endif()

if(NOT EXISTS ${nginx_objs}/ngx_auto_config.h)
    set(nginx_tree ${PROJECT_BINARY_DIR}/nginx-headers)
    set(nginx_objs ${nginx_tree}/objs)

    # Configured anew when the nginx, its arguments or the recipe changed.
    file(SHA256 ${CMAKE_CURRENT_LIST_DIR}/configure-nginx.sh recipe)
    set(stamp "${recipe} ${NGINX_SOURCE_DIR} ${LLM_NGINX_VERSION}")
    string(APPEND stamp " ${nginx_arguments}")
    if(EXISTS ${NGINX_SOURCE_DIR}/conf_flags)
        file(SHA256 ${NGINX_SOURCE_DIR}/conf_flags flags)
        string(APPEND stamp " ${flags}")
    endif()
    set(configured "")
    if(EXISTS ${nginx_tree}/stamp)
        file(READ ${nginx_tree}/stamp configured)
    endif()

    if(NOT configured STREQUAL stamp)
        message(STATUS "Configuring the headers of nginx ${LLM_NGINX_VERSION}")
        execute_process(
            COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/configure-nginx.sh
                ${NGINX_SOURCE_DIR} ${nginx_tree} "${nginx_arguments}"
            OUTPUT_VARIABLE output ERROR_VARIABLE output
            RESULT_VARIABLE result)
        if(NOT result EQUAL 0)
            message(FATAL_ERROR
                "nginx's configure failed in \"${nginx_tree}\":\n${output}")
        endif()
        file(WRITE ${nginx_tree}/stamp "${stamp}")
    endif()
endif()

file(STRINGS ${nginx_objs}/ngx_auto_config.h nginx_ssl
    REGEX "define NGX_HTTP_SSL +1")
if(NOT nginx_ssl)
    message(FATAL_ERROR
        "The nginx in \"${nginx_objs}\" is configured without TLS, which "
        "providers need: configure it with --with-http_ssl_module.")
endif()

set(nginx_src ${NGINX_SOURCE_DIR}/src)
set(LLM_NGINX_INCLUDES
    ${nginx_src}/core ${nginx_src}/event ${nginx_src}/event/modules
    ${nginx_src}/event/quic ${nginx_src}/os/unix ${nginx_src}/http
    ${nginx_src}/http/modules ${nginx_src}/http/v2 ${nginx_src}/http/v3
    ${nginx_objs})

# Side calls (embeddings) are made with libcurl, whichever TLS library it uses.
find_package(CURL 7.77 REQUIRED)

# All of the module but modules.c, the table of what nginx shall find in the
# file: so that tests can link it into a file with modules of their own.
file(GLOB_RECURSE LLM_MODULE_SOURCES CONFIGURE_DEPENDS
    ngx_module/*.cpp ngx_module/*.S)
set(version_script ${PROJECT_SOURCE_DIR}/ngx_module/module.map)

add_library(ngx_http_llm_objects OBJECT ${LLM_MODULE_SOURCES})
target_include_directories(ngx_http_llm_objects PUBLIC ngx_module)
target_include_directories(ngx_http_llm_objects SYSTEM PUBLIC
    ${LLM_NGINX_INCLUDES})
target_link_libraries(ngx_http_llm_objects PUBLIC llm_core CURL::libcurl)
# nginx's headers and the standard ones take most of the time to compile a
# file.
target_precompile_headers(ngx_http_llm_objects PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:${PROJECT_SOURCE_DIR}/ngx_module/context.hpp>")

set(table ${PROJECT_SOURCE_DIR}/data/all-minilm-l6-v2.static256.llmv)
set_source_files_properties(ngx_module/embedding/static_table.S PROPERTIES
    COMPILE_DEFINITIONS "LLM_STATIC_TABLE=\"${table}\""
    OBJECT_DEPENDS ${table})

set(tables ${PROJECT_SOURCE_DIR}/data/o200k_base.llmb
    ${PROJECT_SOURCE_DIR}/data/cl100k_base.llmb
    ${PROJECT_SOURCE_DIR}/data/prices.json)
list(GET tables 0 o200k)
list(GET tables 1 cl100k)
list(GET tables 2 prices)
set_source_files_properties(ngx_module/account/tables.S PROPERTIES
    COMPILE_DEFINITIONS
        "LLM_O200K=\"${o200k}\";LLM_CL100K=\"${cl100k}\";LLM_PRICES=\"${prices}\""
    OBJECT_DEPENDS "${tables}")

# llm_nginx_module(NAME SOURCE...): NAME.so with the module in it, and with
# what SOURCE adds, which names the modules in the file.
function(llm_nginx_module name)
    add_library(${name} MODULE ${ARGN})
    set_target_properties(${name} PROPERTIES
        PREFIX "" LINK_DEPENDS ${version_script})
    target_link_libraries(${name} PRIVATE ngx_http_llm_objects)
    target_link_options(${name} PRIVATE
        LINKER:--version-script=${version_script} LINKER:-z,relro LINKER:-z,now)

    # A C++ runtime of its own: nginx loads modules with RTLD_GLOBAL, and
    # another module's copy must not be mixed with ours. The sanitizers bring
    # theirs.
    if(NOT LLM_SANITIZE)
        target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc)
    else()
        # Stay loaded, so that the report at the end of the process can name
        # the functions.
        target_link_options(${name} PRIVATE LINKER:-z,nodelete)
    endif()
endfunction()

llm_nginx_module(ngx_http_llm_module ngx_module/modules.c)

# modules.c holds what nginx looks up by name; a symbol that the compiler
# hides cannot be brought back by the version script.
set_source_files_properties(ngx_module/modules.c PROPERTIES
    COMPILE_OPTIONS -fvisibility=default)

# What the finished file must fulfil, whoever builds it.
enable_testing()
add_test(NAME module_symbols
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/check-module
        $<TARGET_FILE:ngx_http_llm_module> ${NGINX_EXECUTABLE})

# Installation: the module where nginx's "load_module modules/..." finds it.
set(modules_path "${CMAKE_INSTALL_FULL_LIBDIR}/nginx/modules")
if(nginx_arguments MATCHES "--modules-path=([^ ]+)")
    set(modules_path ${CMAKE_MATCH_1})
elseif(nginx_arguments MATCHES "--prefix=([^ ]+)")
    set(modules_path ${CMAKE_MATCH_1}/modules)
endif()
set(NGINX_MODULES_PATH ${modules_path} CACHE PATH
    "where the module is installed")
install(TARGETS ngx_http_llm_module LIBRARY
    DESTINATION ${NGINX_MODULES_PATH} COMPONENT module)

message(STATUS "nginx ${LLM_NGINX_VERSION}: headers in ${nginx_objs}, "
    "modules in ${NGINX_MODULES_PATH}")
