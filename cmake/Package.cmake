# "cpack" makes a Debian package of the module (scripts/package). What it
# depends on is the ABI that the distribution's nginx package provides, such
# as nginx-abi-1.22.1-7: any other nginx could refuse the module or, worse,
# differ in ways that it does not check.
#
# The file in modules-available is linked to by the administrator, see
# README.md.
set(abi_file ${NGINX_SOURCE_DIR}/debian/libnginx-mod.abisubstvars)
set(nginx_abi "")
if(EXISTS ${abi_file})
    file(STRINGS ${abi_file} nginx_abi REGEX "^nginx:abi=")
else()
    execute_process(COMMAND dpkg-query -W -f "\${Provides}" nginx
        OUTPUT_VARIABLE nginx_abi ERROR_QUIET)
endif()
if(NOT nginx_abi MATCHES "nginx-abi-[^ ,\n]+")
    # Not a nginx of Debian's or Ubuntu's: nothing to depend on.
    return()
endif()
set(nginx_abi ${CMAKE_MATCH_0})

set(package libnginx-mod-http-llm)
install(FILES packaging/mod-http-llm.conf
    DESTINATION /usr/share/nginx/modules-available COMPONENT module)
install(PROGRAMS scripts/llm-key DESTINATION /usr/bin COMPONENT module)
install(FILES LICENSE DESTINATION /usr/share/doc/${package}
    RENAME copyright COMPONENT module)
foreach(document README.md CHANGES)
    install(FILES ${document} DESTINATION /usr/share/doc/${package}
        COMPONENT module OPTIONAL)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME ${package})
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "ngx_http_llm_module developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
    "LLM gateway as a dynamic module of nginx")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Clients speak the OpenAI or the Anthropic API to nginx, and nginx speaks
to whichever provider and model is configured: streams, tools, retries and
fallbacks, and accounting of every token, inside of nginx's workers.")
set(CPACK_DEBIAN_PACKAGE_SECTION httpd)
set(CPACK_DEBIAN_PACKAGE_DEPENDS ${nginx_abi})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Of llm-key, for those who use it.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS python3)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/packaging/prerm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_INSTALL_CMAKE_PROJECTS
    "${PROJECT_BINARY_DIR};${PROJECT_NAME};module;/")
include(CPack)
