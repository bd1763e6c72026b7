/* Secrets go, the rest stays. */
#include "expert/redact.h"

#include <criterion/criterion.h>

static const struct str secret = {"sk-canary-123", 13};

Test(redact, leaves_other_text_alone_without_copying)
{
    struct buf scratch;
    buf_init(&scratch, 1000);
    struct str text = STR("nothing of the kind: sk-canary-12");
    cr_assert_eq(redact(text, secret, &scratch).ptr, text.ptr);
    buf_done(&scratch);
}

Test(redact, takes_every_occurrence_out)
{
    struct buf scratch;
    buf_init(&scratch, 1000);
    struct str out = redact(STR("sk-canary-123 and sk-canary-123sk-canary-123!"), secret, &scratch);
    cr_assert(str_equal(out, STR("[redacted] and [redacted][redacted]!")));
    buf_done(&scratch);
}

Test(redact, shows_nothing_when_there_is_no_room)
{
    struct buf scratch;
    buf_init(&scratch, 8);
    cr_assert(str_equal(redact(STR("x sk-canary-123 y"), secret, &scratch), STR("[redacted]")));
    buf_done(&scratch);
}

Test(redact, no_secret_or_a_tiny_one_changes_nothing)
{
    struct buf scratch;
    buf_init(&scratch, 1000);
    struct str text = STR("aaaa");
    cr_assert_eq(redact(text, STR(""), &scratch).ptr, text.ptr);
    cr_assert_eq(redact(text, STR("a"), &scratch).ptr, text.ptr);
    buf_done(&scratch);
}
