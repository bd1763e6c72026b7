/* An expert as orchestrator: what it is asked, byte for byte, and what is made of its answer. */
#include "reader/opinion_reply.h"

#include <criterion/criterion.h>
#include <math.h>

#include "opinion/opinion_said.h"

#define N 3 /* X, Y, Z */
static float row[N + OPINION_CERTAINTIES];
static struct error err;

#define ANSWER(top)                                                                                \
    "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"Y\"},\"logprobs\":{"         \
    "\"content\":[{\"token\":\"Y\",\"logprob\":-0.1,\"top_logprobs\":" top "}]}}]}"

static enum status read_reply(const char *body)
{
    return opinion_reply_row(str_from(body), N, row, &err);
}

#define NEAR(a, b)                                                                                 \
    cr_assert_float_eq((double)(a), (double)(b), 1e-5, "%g %g", (double)(a), (double)(b))

Test(opinion_reply, the_request_asks_for_one_token)
{
    struct buf b;
    buf_init(&b, 4096);
    opinion_request_write(STR("m\"1"), STR("Whom?\n"), STR("Why\t?"), &b);
    cr_assert_str_eq(b.ptr, "{\"model\":\"m\\\"1\",\"messages\":[{\"role\":\"user\",\"content\":"
                            "\"Whom?\\nWhy\\t?\\n\\nReply with the letter of the best expert "
                            "alone.\\nAnswer:\"}],\"max_tokens\":1,\"temperature\":0,"
                            "\"logprobs\":true,\"top_logprobs\":20}");
    buf_done(&b);
}

Test(opinion_reply, letters_with_and_without_a_blank_are_one)
{
    cr_assert_eq(
        read_reply(ANSWER("[{\"token\":\"Y\",\"logprob\":-1},{\"token\":\" Y\",\"logprob\":"
                          "-2},{\"token\":\"X\",\"logprob\":-1.5},{\"token\":\"The\","
                          "\"logprob\":-3}]")),
        OK, "%s", err.text);
    double x = exp(-1.5), y = exp(-1) + exp(-2), told = x + y + exp(-3);
    double z = fmin(1 - told, exp(-3)), all = x + y + z;
    NEAR(row[0], log(x / all));
    NEAR(row[1], log(y / all));
    NEAR(row[2], log(z / all));
    NEAR(row[N + OPINION_MASS], log(all));
    NEAR(row[N + OPINION_SURPRISE], 0);
    NEAR(row[N + OPINION_HAS_CHOICES], 0);
}

Test(opinion_reply, no_letter_among_the_likeliest_is_no_opinion)
{
    cr_assert_eq(read_reply(ANSWER("[{\"token\":\"The\",\"logprob\":0}]")), OK, "%s", err.text);
    for (size_t e = 0; e < N; e++)
        NEAR(row[e], log(1.0 / N));
    NEAR(row[N + OPINION_ENTROPY], 1);
}

Test(opinion_reply, who_tells_no_logprobs_is_refused)
{
    static const char *const silent[] = {
        "{\"choices\":[{\"message\":{\"content\":\"Y\"},\"logprobs\":null}]}",
        "{\"choices\":[{\"message\":{\"content\":\"Y\"}}]}",
        "{\"choices\":[{\"logprobs\":{\"content\":[]}}]}",
        ANSWER("[]"),
        ANSWER("null"),
        ANSWER("[{\"token\":\"Y\",\"logprob\":-1e9}]"),
    };
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
        cr_assert_eq(read_reply(silent[i]), ERR_UNSUPPORTED, "%s", silent[i]);
    cr_assert_not_null(strstr(err.text, "tells no log-probabilities"));
}

Test(opinion_reply, what_is_no_answer_is_refused)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"choices\":{}}",
                                      "{\"choices\":[]}",
                                      ANSWER("[{\"token\":\"Y\",\"logprob\":\"x\"}]"),
                                      ANSWER("[{\"token\":\"Y\",\"logprob\":5}]"),
                                      ANSWER("[7]")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_eq(read_reply(bad[i]), ERR_UPSTREAM, "%s", bad[i]);
}
