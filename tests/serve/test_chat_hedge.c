/* Two experts at once: who wins, what becomes of the other, and what the client sees. */
#include "serve/chat_int.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"

#define HEDGED     "policies: {default: {lambda: 1e9, hedge_after: 50ms}}\n"
#define BROKEN     "{\"error\":{\"message\":\"broken\",\"type\":\"server_error\"}}"
#define FROM(name) "x-leeroo-expert: " name "\r\n"
#define SILENT     ((struct canned){.manner = CANNED_NOTHING})
#define STREAM(t)                                                                                  \
    ((struct canned){.manner = CANNED_STREAM,                                                      \
                     .body = ROLE_EVENT TEXT_EVENT(t) STOP_EVENT DONE_EVENT})

Test(hedge, the_second_answers_for_a_silent_first)
{
    struct stage *s = stage_begin(NULL, HEDGED);
    stage_play(s, CHEAP, SILENT);
    stage_play(s, MID, (struct canned){.body = WHOLE("mid", USAGE(10, 20))});
    log_catch();
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, FROM("mid"), "\"mid\"",
                 "\"calls\":[{\"expert\":\"cheap\"", "\"outcome\":\"cancelled\"}",
                 "\"outcome\":\"answered\",\"hedge\":true}]}", NULL);
    test_wait(&s->gone); /* cheap was cancelled */
    cr_expect(strstr(log_read(), "cheap cancelled 0.000000300") &&
                  strstr(log_read(), " attempts=2 "),
              "%s", log_read());
    log_release();
    stage_end(s);
}

Test(hedge, of_two_streams_the_first_word_wins)
{
    struct stage *s = stage_begin(NULL, HEDGED);
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_BEGIN, .body = ROLE_EVENT});
    stage_play(s, MID, STREAM("mid"));
    char *answer = stage_ask(s, CHAT_PATH, CHAT_TO("leeroo", STREAMED));
    cr_expect(strstr(answer, FROM("mid")) && strstr(answer, "\"mid\"") && strstr(answer, "[DONE]"),
              "%s", answer);
    const char *role = strstr(answer, "\"role\"");
    cr_expect(role && !strstr(role + 1, "\"role\""), "one role, the winner's: %s", answer);
    free(answer);
    stage_end(s);
}

Test(hedge, the_first_wins_when_it_speaks_first)
{
    struct stage *s = stage_begin(NULL, HEDGED);
    stage_play(s, MID, SILENT);
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_BEGIN, .body = ROLE_EVENT});
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("leeroo", STREAMED));
    test_wait(&s->asked);
    test_wait(&s->asked); /* mid is asked, too */
    stage_hold(s, CHEAP);
    stage_more(s, TEXT_EVENT("cheap"));
    test_wait(&s->gone); /* mid was cancelled */
    stage_more(s, STOP_EVENT DONE_EVENT);
    stage_finish(s);
    char *answer = test_read_all(fd);
    cr_expect(strstr(answer, FROM("cheap")) && strstr(answer, "\"cheap\""), "%s", answer);
    free(answer);
    close(fd);
    stage_end(s);
}

Test(hedge, a_first_that_fails_leaves_it_to_the_second)
{
    struct stage *s = stage_begin(", retries: 9", HEDGED);
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_BEGIN, .body = ROLE_EVENT});
    stage_play(s, MID, (struct canned){.manner = CANNED_BEGIN, .body = ROLE_EVENT});
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("leeroo", STREAMED));
    test_wait(&s->asked);
    test_wait(&s->asked);
    stage_hold(s, CHEAP);
    stage_cut(s);
    usleep(50000);
    stage_hold(s, MID);
    stage_more(s, TEXT_EVENT("mid") STOP_EVENT DONE_EVENT);
    stage_finish(s);
    char *answer = test_read_all(fd);
    cr_expect(strstr(answer, FROM("mid")) && strstr(answer, "\"mid\""), "%s", answer);
    cr_expect(strstr(answer, "\"role\""), "what was held back is there: %s", answer);
    free(answer);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    close(fd);
    stage_end(s);
}

Test(hedge, a_request_at_fault_ends_both)
{
    struct stage *s = stage_begin(NULL, HEDGED);
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_BEGIN, .body = ROLE_EVENT});
    stage_play(s, MID, SILENT);
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("leeroo", STREAMED));
    test_wait(&s->asked);
    test_wait(&s->asked);
    stage_hold(s, CHEAP);
    stage_more(s, EVENT("{\"error\":{\"message\":\"no\",\"code\":400}}"));
    char *answer = test_read_all(fd);
    cr_expect(strstr(answer, "HTTP/1.1 400") && strstr(answer, "\"no\""), "%s", answer);
    free(answer);
    close(fd);
    stage_end(s);
}

Test(hedge, a_client_that_leaves_cancels_both)
{
    struct stage *s = stage_begin(NULL, HEDGED);
    stage_play(s, CHEAP, SILENT);
    stage_play(s, MID, SILENT);
    log_catch();
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("leeroo", ""));
    test_wait(&s->asked);
    test_wait(&s->asked);
    close(fd);
    test_wait(&s->gone);
    test_wait(&s->gone);
    log_wait("error=\"client gone\"");
    cr_expect(strstr(log_read(), "mid cancelled") && strstr(log_read(), "cheap cancelled"), "%s",
              log_read());
    log_release();
    stage_end(s);
}

Test(hedge, a_second_that_fails_changes_nothing)
{
    struct stage *s = stage_begin(NULL, HEDGED);
    stage_play(s, CHEAP, (struct canned){.manner = CANNED_BEGIN, .body = ROLE_EVENT});
    stage_play(s, MID, (struct canned){.http_status = 500, .body = BROKEN});
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("leeroo", STREAMED));
    test_wait(&s->asked);
    test_wait(&s->asked);
    usleep(50000);
    stage_more(s, TEXT_EVENT("cheap") STOP_EVENT DONE_EVENT);
    stage_finish(s);
    char *answer = test_read_all(fd);
    cr_expect(strstr(answer, FROM("cheap")) && strstr(answer, "\"cheap\""), "%s", answer);
    free(answer);
    close(fd);
    cr_expect_eq(stage_asked(s, DEAR), 0, "one hedge for a request");
    stage_end(s);
}

/* The first waits for its place: the second is asked meanwhile. */
Test(hedge, who_waits_in_line_is_hedged_too)
{
    struct stage *s = stage_begin(", concurrency: 1", HEDGED);
    stage_play(s, CHEAP, SILENT);
    stage_play(s, MID, (struct canned){.body = WHOLE("mid", USAGE(10, 20))});
    int busy = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    test_wait(&s->asked);
    stage_expect(s, CHAT_PATH, CHAT_TO("leeroo", ""), 200, FROM("mid"), NULL);
    cr_expect_eq(stage_asked(s, CHEAP), 1);
    close(busy);
    stage_end(s);
}

Test(hedge, off_by_default_and_never_for_a_name)
{
    struct stage *s = stage_begin(NULL, HEDGED);
    stage_play(s, CHEAP, SILENT);
    int fd = stage_send(s, CHAT_PATH, CHAT_TO("cheap", ""));
    test_wait(&s->asked);
    usleep(150000);
    for (size_t i = MID; i < STAGE_EXPERTS; i++)
        cr_expect_eq(stage_asked(s, (enum stage_expert)i), 0);
    close(fd);
    test_wait(&s->gone);
    stage_end(s);
}
