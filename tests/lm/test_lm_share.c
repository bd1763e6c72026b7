/* One model for all who read the same file, and another one once the file is another. */
#include "lm/lm_share.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lm/tiny_gguf.h"

static char path[64], fresh[64];

static void setup(void)
{
    snprintf(path, sizeof(path), "/tmp/leeroo_share_%d.gguf", (int)getpid());
    snprintf(fresh, sizeof(fresh), "/tmp/leeroo_share_%d_b.gguf", (int)getpid());
}

static void teardown(void)
{
    unlink(path);
    unlink(fresh);
}

TestSuite(lm_share, .init = setup, .fini = teardown);

static struct lm *share(bool vocabulary_only)
{
    struct error err;
    struct lm *lm = NULL;
    const struct lm_options o = {.vocabulary_only = vocabulary_only};
    cr_assert_eq(lm_share(path, &o, &lm, &err), OK, "%s", err.text);
    return lm;
}

Test(lm_share, the_same_file_is_loaded_once)
{
    if (!lm_is_built())
        cr_skip_test("no llama.cpp");
    tiny_gguf_write(path, TINY_LLAMA, 1);
    struct lm *a = share(false), *b = share(false), *c = share(true);
    cr_assert_eq(a, b);
    cr_assert_neq(a, c);
    lm_release(a);
    cr_assert_gt(lm_info(b)->width, 0); /* it is still there */
    tiny_gguf_write(fresh, TINY_LLAMA, 2);
    cr_assert_eq(rename(fresh, path), 0);
    struct lm *d = share(false);
    cr_assert_neq(d, b);
    lm_release(b);
    lm_release(c);
    lm_release(d);
    lm_release(NULL);
}

Test(lm_share, what_cannot_be_loaded_takes_no_place)
{
    for (int i = 0; i < LM_SHARED_MAX + 1; i++) {
        struct error err;
        struct lm *lm = NULL;
        enum status status = lm_share("/dev/null", NULL, &lm, &err);
        cr_assert_eq(status, lm_is_built() ? ERR_CORRUPT : ERR_UNSUPPORTED, "%s", err.text);
        cr_assert_null(lm);
    }
}
