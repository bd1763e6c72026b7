/* The frame that all pages share. */
#include "eval/page.h"

#include <criterion/criterion.h>
#include <string.h>

Test(page, opens_and_closes_what_it_opened)
{
    static const char *const more[] = {".x{color:red}", ".y{color:blue}", NULL};
    struct buf b;
    buf_init(&b, 1 << 20);
    page_open(&b, "leeroo", STR("a <b> & c"), more);
    page_section(&b, "x", "1 < 2", "<b>markup</b>");
    page_section_end(&b);
    page_close(&b);
    cr_assert_eq(buf_status(&b, NULL), OK);
    cr_expect_not_null(strstr(b.ptr, "<title>leeroo: a &lt;b&gt; &amp; c</title>"));
    cr_expect_not_null(strstr(b.ptr, "default-src 'none'"));
    cr_expect_not_null(strstr(b.ptr, ".x{color:red}.y{color:blue}</style>"));
    cr_expect_not_null(
        strstr(b.ptr, "<section id=\"x\"><h2>1 &lt; 2</h2>\n<p class=\"how\"><b>markup</b></p>"));
    cr_expect_null(strstr(b.ptr, "url("));
    cr_expect_str_eq(b.ptr + b.len - strlen("</section>\n</main></body></html>\n"),
                     "</section>\n</main></body></html>\n");
    buf_done(&b);
}
