/*
 * The built-in table of embeddings, as a part of the module: mapped once and
 * shared by all processes, and no file has to be installed. The build names
 * the file.
 */
    .section .rodata
    .global ngx_http_llm_static_table
    .global ngx_http_llm_static_table_end
    .hidden ngx_http_llm_static_table
    .hidden ngx_http_llm_static_table_end

    .balign 64
ngx_http_llm_static_table:
    .incbin LLM_STATIC_TABLE
ngx_http_llm_static_table_end:

    .section .note.GNU-stack, "", %progbits
