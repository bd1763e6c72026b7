/* The commands that the demo ends with: quoted for a shell, the program as it was called, no line over 80 columns. */
#include "demo/demo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

static void quotes(const char *text, const char *wanted)
{
    struct buf out;
    buf_init(&out, 256);
    demo_quote(text, &out);
    cr_expect_str_eq(out.ptr, wanted);
    buf_done(&out);
}

Test(demo_next, names_are_quoted_where_a_shell_would_take_them_apart)
{
    quotes("build/leeroo", "build/leeroo");
    quotes("my demo", "'my demo'");
    quotes("it's", "'it'\\''s'");
    quotes("$HOME", "'$HOME'");
    quotes("", "''");
}

Test(demo_next, says_what_can_be_done_with_what_is_there)
{
    char *text = NULL;
    size_t len = 0;
    struct demo d = {.dir = "my demo", .arena = arena_create(1 << 20)};
    program_invocation_name = (char[]){"build/leeroo"};
    d.out = open_memstream(&text, &len);
    demo_next_steps(&d);
    fclose(d.out);
    cr_expect_not_null(strstr(text, "build/leeroo eval 'my demo'/orchestrator.safetensors"));
    cr_expect_not_null(strstr(text, "build/leeroo demo --keep --dir 'my demo' \\\n"));
    cr_expect_null(strstr(text, "Ctrl-C"));
    free(text);
    d.temporary = true;
    d.out = open_memstream(&text, &len);
    demo_next_steps(&d);
    fclose(d.out);
    cr_expect_null(strstr(text, "eval"), "its folder goes away");
    cr_expect_not_null(strstr(text, "build/leeroo demo --keep --dir my-demo \\\n"));
    cr_expect_not_null(strstr(text, "build/leeroo init\n"));
    free(text);
    arena_free(d.arena);
}
