# Rules for nginx's Makefile; nginx's configure sources this file, with the
# folder of this module in ngx_addon_dir. CMake configures at the time of
# "make": only then are nginx's headers complete.

case $NGX_OBJS in
    /*) llm_objs=$NGX_OBJS ;;
    *) llm_objs=$PWD/$NGX_OBJS ;;
esac

case $NGX_MODULES_PATH in
    /*) llm_modules_path=$NGX_MODULES_PATH ;;
    *) llm_modules_path=${NGX_PREFIX:-/usr/local/nginx}/${NGX_MODULES_PATH:-modules} ;;
esac

cat << END                                            >> $NGX_MAKEFILE

modules:	ngx_http_llm_module

ngx_http_llm_module:
	cmake -S $ngx_addon_dir -B $llm_objs/ngx_http_llm_module \\
		-DNGINX_SOURCE_DIR=$PWD -DNGINX_OBJS_DIR=$llm_objs \\
		-DNGINX_EXECUTABLE=OFF -DLLM_TESTS=OFF
	+cmake --build $llm_objs/ngx_http_llm_module \\
		--target ngx_http_llm_module
	cp $llm_objs/ngx_http_llm_module/ngx_http_llm_module.so $llm_objs/

install:	ngx_http_llm_module_install

ngx_http_llm_module_install:	modules
	mkdir -p '\$(DESTDIR)$llm_modules_path'
	cp $llm_objs/ngx_http_llm_module.so \\
		'\$(DESTDIR)$llm_modules_path/'

.PHONY:	ngx_http_llm_module ngx_http_llm_module_install
END
