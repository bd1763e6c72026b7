/* What lm.h says without a model: a program with llama.cpp refuses what is no GGUF file, one without it says how to get
 * it. */
#include "lm/lm.h"

#include <criterion/criterion.h>
#include <string.h>

Test(lm, what_is_no_gguf_file_is_refused_with_its_name)
{
    struct error err;
    struct lm *lm = NULL;
    enum status status = lm_load("/dev/null", NULL, &lm, &err);
    cr_assert_eq(status, lm_is_built() ? ERR_CORRUPT : ERR_UNSUPPORTED);
    cr_assert_null(lm);
    cr_assert(strstr(err.text, lm_is_built() ? "/dev/null" : "scripts/install-llama"), "%s",
              err.text);
}
