/* Answers of endpoints: rows in order, or a sentence. */
#include <criterion/criterion.h>
#include <string.h>

#include "reader/embeddings_reply.h"

static float rows[16];
static struct error err;

static enum status read(const char *text, size_t count, size_t *width)
{
    return embeddings_reply_rows(str_from(text), count, 8, width, rows, &err);
}

static void refuse(const char *text, size_t count, size_t width, const char *why)
{
    size_t before = width;
    cr_assert_eq(read(text, count, &width), ERR_UPSTREAM, "%s", text);
    cr_assert_eq(width, before);
    cr_assert(strstr(err.text, why), "%s", err.text);
}

Test(embeddings_reply, rows_come_in_the_order_of_the_texts)
{
    size_t width = 0;
    cr_assert_eq(read("{\"data\":[{\"index\":1,\"embedding\":[3,-4.5]},"
                      "{\"embedding\":[1e-1,2],\"index\":0}],\"usage\":{}}",
                      2, &width),
                 OK, "%s", err.text);
    const float right[] = {0.1f, 2, 3, -4.5f};
    cr_assert_eq(width, 2);
    cr_assert_eq(memcmp(rows, right, sizeof(right)), 0);
    cr_assert_eq(read("{\"data\":[{\"embedding\":[1,2]},{\"embedding\":[3,4]}]}", 2, &width), OK);
    cr_assert_eq(rows[2], 3);
}

Test(embeddings_reply, what_is_not_one_vector_a_text_is_refused)
{
    refuse("", 1, 0, "no JSON");
    refuse("{\"data\":[{\"embedding\":[1]}", 1, 0, "no JSON");
    refuse("{\"error\":{}}", 1, 0, "not as many vectors");
    refuse("{\"data\":[{\"embedding\":[1]}]}", 2, 0, "not as many vectors");
    refuse("{\"data\":[{\"embedding\":[1]},{\"embedding\":[1]}]}", 1, 0, "not as many vectors");
    refuse("{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[1]}]}", 2, 0,
           "an index");
    refuse("{\"data\":[{\"index\":-1,\"embedding\":[1]}]}", 1, 0, "an index");
    refuse("{\"data\":[{\"index\":7,\"embedding\":[1]}]}", 1, 0, "an index");
    refuse("{\"data\":[{\"index\":\"a\",\"embedding\":[1]}]}", 1, 0, "an index");
    refuse("{\"data\":[{\"embedding\":\"AAAA\"}]}", 1, 0, "no vector");
    refuse("{\"data\":[{\"embedding\":[]}]}", 1, 0, "0 numbers long");
    refuse("{\"data\":[{\"embedding\":[1,2]}]}", 1, 3, "2 numbers long, not 3");
    refuse("{\"data\":[{\"embedding\":[1]},{\"embedding\":[1,2]}]}", 2, 0, "not 1");
    refuse("{\"data\":[{\"embedding\":[1,2,3,4,5,6,7,8,9]}]}", 1, 0, "at most 8");
    refuse("{\"data\":[{\"embedding\":[1e39]}]}", 1, 0, "no number");
    refuse("{\"data\":[{\"embedding\":[null]}]}", 1, 0, "no number");
}
