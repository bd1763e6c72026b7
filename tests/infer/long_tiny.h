/* The tiny model of tests/lm with room for prompts that list tools: a token is a byte there. */
#pragma once

#include <criterion/criterion.h>

#include "lm/tiny_gguf.h"

#define LONG_CONTEXT 2048

static inline void long_tiny_write(const char *path, uint64_t seed)
{
    static const char key[] = "llama.context_length";
    static char bytes[1 << 16]; /* all keys are in it */
    const uint32_t context = LONG_CONTEXT;
    tiny_gguf_write(path, TINY_LLAMA, seed);
    FILE *f = fopen(path, "r+");
    cr_assert_not_null(f);
    size_t n = fread(bytes, 1, sizeof(bytes), f);
    const char *at = memmem(bytes, n, key, strlen(key));
    cr_assert_not_null(at);
    fseek(f, at - bytes + (long)strlen(key) + 4, SEEK_SET); /* behind the type */
    fwrite(&context, sizeof(context), 1, f);
    cr_assert_eq(fclose(f), 0);
}
