/* What answers to requests for embeddings say. */
#include "dialect/embeddings_text.h"

#include <criterion/criterion.h>

static struct embeddings_reply read_reply(const char *text)
{
    struct embeddings_reply reply;
    struct error err = {0};
    cr_assert_eq(embeddings_reply_read(str_from(text), &reply, &err), OK, "%s", err.text);
    return reply;
}

Test(embeddings_text, what_an_answer_costs)
{
    struct embeddings_reply r = read_reply("{\"object\":\"list\",\"data\":[{\"embedding\":[0.1]}],"
                                           "\"usage\":{\"prompt_tokens\":8,\"total_tokens\":9}}");
    cr_assert(r.known && r.has_vectors && !r.is_error);
    cr_assert_eq(r.input_tokens, 8);
    r = read_reply("{\"data\":[],\"usage\":{\"total_tokens\":0}}");
    cr_assert(r.known && r.input_tokens == 0);
    cr_assert_not(read_reply("{\"data\":[],\"usage\":{\"prompt_tokens\":-1}}").known);
    cr_assert_not(read_reply("{\"data\":[],\"usage\":{\"prompt_tokens\":1e30}}").known);
    cr_assert_not(read_reply("{\"data\":[]}").known);
}

Test(embeddings_text, errors_inside_a_success)
{
    struct embeddings_reply r = read_reply("{\"error\":{\"message\":\"no\"}}");
    cr_assert(r.is_error && !r.has_vectors);
    cr_assert(read_reply("[{\"error\":{\"message\":\"no\"}}]").is_error);
    cr_assert_not(read_reply("{\"error\":null,\"data\":[]}").is_error);
    cr_assert_eq(embeddings_reply_read(STR("[1]"), &r, NULL), ERR_INPUT);
    cr_assert_eq(embeddings_reply_read(STR("<html>"), &r, NULL), ERR_INPUT);
}
