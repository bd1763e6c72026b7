/* What is told of encoders: lines of metrics for each that is open. */
#include <criterion/criterion.h>
#include <string.h>

#include "reader/encoder_open.h"
#include "watch/encoder_watch.h"

static struct buf page;

static const char *write_page(void)
{
    buf_clear(&page);
    encoder_watch_write(&page);
    return page.ptr ? page.ptr : "";
}

Test(encoder_watch, each_that_is_open_has_its_lines)
{
    /* Whose width is known is opened without being asked. */
    const struct encoder_spec s = {
        .name = "e5", .url = "http://127.0.0.1:9/e", .model = "m", .width = 3};
    const struct encoder *e = NULL;
    struct error err;
    buf_init(&page, 1u << 20);
    cr_assert_str_eq(write_page(), "");
    cr_assert_eq(encoder_open(&s, &e, &err), OK, "%s", err.text);
    cr_assert(strstr(write_page(),
                     "leeroo_encoder_asked_total{encoder=\"e5\",place=\"0\",end=\"late\"} 0\n"),
              "%s", page.ptr);
    cr_assert(strstr(page.ptr, "leeroo_encoder_failures_total{encoder=\"e5\",place=\"0\"} 0\n"));
    float work[3];
    struct encoding said;
    cr_assert_neq(e->encode(e, work, STR("nobody listens there"), &said, &err), OK);
    cr_assert(
        strstr(write_page(), "leeroo_encoder_failures_total{encoder=\"e5\",place=\"0\"} 1\n"));
    cr_assert(strstr(page.ptr, "leeroo_encoder_left_alone{encoder=\"e5\",place=\"0\"} 0\n"));
    encoder_watch_silence(1); /* nothing was asked by a request: no line */
    buf_done(&page);
}
