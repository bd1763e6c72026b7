/* A judging expert's reply of any bytes: it says one of few things, and what is put between marks stays there. */
#include "judge/verdict.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct str text)
{
    const struct query query = {.prompt = text};
    const struct str end = STR("[[end answer 2 00000000075bcd15]]");
    struct buf system, user;
    buf_init(&system, 1u << 16);
    buf_init(&user, 1u << 20);
    verdict_ask_pair(&query, text, STR("x"), 123456789, &system, &user);
    CHECK(buf_status(&user, NULL) == OK);
    CHECK(str_find(text, end, 0) != SIZE_MAX || str_find(buf_str(&user), end, 0) != SIZE_MAX);
    buf_done(&system);
    buf_done(&user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str reply = {(const char *)data, size};
    const double agreement = verdict_read_agreement(reply);
    CHECK(verdict_read_pair(reply) <= VERDICT_TIE);
    CHECK(agreement == -1 || agreement == 0 || agreement == 0.5 || agreement == 1);
    if (size < 1u << 15)
        ask(reply);
    return 0;
}
