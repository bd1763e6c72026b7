/* The table of dialects is whole. */
#include "dialect/dialect.h"

#include <criterion/criterion.h>

static const char *const names[DIALECT_COUNT] = {"openai", "azure", "anthropic", "gguf"};

Test(dialect, every_row_is_found_by_its_name)
{
    for (size_t i = 0; i < DIALECT_COUNT; i++) {
        const struct dialect *d = dialect_find(str_from(names[i]));
        cr_assert_not_null(d, "%s", names[i]);
        cr_expect_str_eq(d->name, names[i]);
    }
    cr_expect_null(dialect_find(STR("")));
    cr_expect_null(dialect_find(STR("openai2")));
    cr_expect_null(dialect_find(STR("open")));
}

Test(dialect, the_names_are_listed)
{
    struct buf out;
    buf_init(&out, 100);
    dialect_list(&out);
    cr_expect_str_eq(out.ptr, "openai, azure, anthropic or gguf");
    buf_done(&out);
}

Test(dialect, every_row_says_what_a_call_needs)
{
    for (size_t i = 0; i < DIALECT_COUNT; i++) {
        const struct dialect *d = dialect_find(str_from(names[i]));
        cr_expect(d->path[0] == '/', "%s", d->name);
        cr_expect(d->provider && d->key_header.len > 0 && d->key_prefix && d->version_parameter &&
                      d->write,
                  "%s", d->name);
        cr_expect(!d->stream_create == !d->stream_free && !d->stream_create == !d->stream_event,
                  "%s", d->name);
        cr_expect(!d->stream_create == !d->read, "%s: whole answers as streams", d->name);
    }
}

Test(dialect, own_headers_are_counted)
{
    cr_expect_eq(dialect_header_count(&dialect_openai), 0);
    cr_expect_eq(dialect_header_count(&dialect_anthropic), 1);
}
