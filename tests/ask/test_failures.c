/* What a client hears when all have failed: each by name, the best first, short and without addresses. */
#include "ask_scene.h"

static void note(struct scene *s, size_t candidate, int http_status, const char *text)
{
    struct error err;
    struct attempt t = {.asking = s->asking, .candidate = candidate};
    const struct expert_answer answer = {.http_status = http_status};
    const struct attempt_failure f = {error_set(&err, ERR_UPSTREAM, "%s", text), &err, &answer,
                                      false};
    failures_note(s->asking, &t, &f);
}

static void expect_told(struct scene *s, const char *wanted)
{
    struct str told = asking_failures(s->asking);
    cr_expect_str_eq(told.len ? told.ptr : "", wanted);
}

Test(failures, one_alone_is_not_told_again)
{
    struct scene *s = scene_begin();
    scene_start(s);
    expect_told(s, "");
    note(s, MID, 500, "expert mid answered 500: no");
    expect_told(s, "");
    note(s, CHEAP, 0, "expert cheap: no answer within 5 ms");
    expect_told(s, "no expert answered (cheap: no answer within 5 ms; mid: answered 500: no)");
    asking_cancel(s->asking);
    scene_end(s);
}

Test(failures, neither_addresses_nor_words_about_our_key)
{
    struct scene *s = scene_begin();
    s->experts[MID].url = STR("http://mid.internal:8080/v1");
    scene_start(s);
    note(s, CHEAP, 401, "expert cheap answered 401: Incorrect API key sk-1***");
    note(s, MID, 0, "expert mid: no route to mid.internal:8080 (see https://mid.internal/help)");
    expect_told(s, "no expert answered (cheap: answered 401: it refuses this gateway's own key or "
                   "account; mid: no route to [address] (see [address]))");
    asking_cancel(s->asking);
    scene_end(s);
}

Test(failures, a_short_host_is_not_found_inside_of_words)
{
    struct scene *s = scene_begin();
    s->experts[MID].url = STR("http://api:8080/v1");
    scene_start(s);
    note(s, CHEAP, 500, "expert cheap answered 500: no");
    note(s, MID, 0, "expert mid: capital rapids of api:8080, api");
    expect_told(s, "no expert answered (cheap: answered 500: no; mid: capital rapids of [address], "
                   "[address])");
    asking_cancel(s->asking);
    scene_end(s);
}

Test(failures, what_is_said_is_cut_amid_no_character)
{
    struct scene *s = scene_begin();
    char text[400] = "expert cheap: ";
    scene_start(s);
    for (size_t i = strlen(text); i + 3 < sizeof(text); i += 2)
        memcpy(text + i, "\u00e9", 3);
    note(s, CHEAP, 500, text);
    note(s, MID, 500, text);
    struct str told = asking_failures(s->asking);
    cr_expect_lt(told.len, 400);
    cr_expect(utf8_printable(told));
    asking_cancel(s->asking);
    scene_end(s);
}

Test(failures, who_was_not_asked_has_nothing_to_say)
{
    struct scene *s = scene_begin();
    scene_start(s);
    struct error err;
    struct attempt t = {.asking = s->asking, .candidate = DEAR};
    const struct attempt_failure f = {error_set(&err, ERR_BUDGET, "no money"), &err,
                                      &asking_no_answer, true};
    failures_note(s->asking, &t, &f);
    note(s, CHEAP, 500, "expert cheap answered 500");
    expect_told(s, "");
    asking_cancel(s->asking);
    scene_end(s);
}
