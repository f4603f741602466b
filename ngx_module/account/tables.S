/*
 * The byte-pair vocabularies and the prices, as a part of the module: mapped
 * once and shared by all processes, and no file has to be installed. The build
 * names the files.
 */
    .macro embed name, file
    .global \name
    .global \name\()_end
    .hidden \name
    .hidden \name\()_end
    .balign 64
\name:
    .incbin "\file"
\name\()_end:
    .endm

    .section .rodata
    embed ngx_http_llm_o200k, LLM_O200K
    embed ngx_http_llm_cl100k, LLM_CL100K
    embed ngx_http_llm_prices, LLM_PRICES

    .section .note.GNU-stack, "", %progbits
