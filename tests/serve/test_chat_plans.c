/* Plans being run: who is asked, who is cancelled, whose answer the client gets. tests/e2e/test_gateway_plans.py asks
 * the same of the program, at length. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/chat_int.h"
#include "stage.h"

#define SAYS(letter) ((struct canned){.body = WHOLE("The answer is (" letter ").", USAGE(10, 20))})
#define UNTOLD       ((struct canned){.body = WHOLE("I do not know.", USAGE(10, 20))})
#define STREAMS(letter)                                                                            \
    ((struct canned){.manner = CANNED_STREAM,                                                      \
                     .body = ROLE_EVENT TEXT_EVENT("The answer ") TEXT_EVENT("is (" letter ").")   \
                         STOP_EVENT USAGE_EVENT(10, 20) DONE_EVENT})
#define BROKEN     ((struct canned){.http_status = 500, .body = "{\"error\":{\"message\":\"broken\"}}"})
#define SILENT     ((struct canned){.manner = CANNED_NOTHING})
#define FROM(name) "x-leeroo-expert: " name "\r\n"
#define PLAN       "x-leeroo-plan: panel(cheap,mid->dear)\r\n"
#define ASK        CHAT_TO("leeroo", "")
#define ASK_STREAM CHAT_TO("leeroo", STREAMED ASK_USAGE)

/* 10 + 20 tokens at 0.1/0.2, 0.5/1.0 and 5/15 USD per million */
#define TWO   "0.000030000"
#define THREE "0.000380000"

static void play(struct stage *s, struct canned cheap, struct canned mid, struct canned dear)
{
    stage_play(s, CHEAP, cheap);
    stage_play(s, MID, mid);
    stage_play(s, DEAR, dear);
}

static void expect_asked(struct stage *s, size_t cheap, size_t mid, size_t dear)
{
    cr_expect_eq(stage_asked(s, CHEAP), cheap);
    cr_expect_eq(stage_asked(s, MID), mid);
    cr_expect_eq(stage_asked(s, DEAR), dear);
}

static void wait_gone(struct stage *s)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    cr_expect_eq(sem_timedwait(&s->gone, &until), 0, "nobody gave a call up");
}

Test(plan_run, who_agree_answer_and_both_are_paid)
{
    struct stage *s = stage_begin_plan(", retries: 0", SERVE_TEST_PANEL);
    play(s, SAYS("B"), SAYS("b"), SAYS("C"));
    stage_expect(s, CHAT_PATH, ASK, 200, "The answer is (B).", FROM("cheap"), PLAN,
                 "x-leeroo-cost-usd: " TWO "\r\n", "x-leeroo-cost-basis: usage\r\n",
                 "\"plan\":\"panel(cheap,mid→dear)\",\"cost_usd\":" TWO,
                 "{\"expert\":\"mid\",\"cost_usd\":0.000025000,", NULL);
    expect_asked(s, 1, 1, 0);
    stage_end(s);
}

Test(plan_run, a_stream_is_replayed)
{
    struct stage *s = stage_begin_plan(", retries: 0", SERVE_TEST_PANEL);
    play(s, STREAMS("B"), STREAMS("B"), STREAMS("C"));
    stage_expect(s, CHAT_PATH, ASK_STREAM, 200, ROLE_EVENT TEXT_EVENT("The answer "), STOP_EVENT,
                 "\"completion_tokens\":20},\"leeroo\":{\"expert\":\"cheap\"", DONE_EVENT,
                 "x-leeroo-cost-usd: " TWO "\r\nx-leeroo-cost-basis: usage\r\n\r\n", NULL);
    char *plain = stage_ask(s, CHAT_PATH, CHAT_TO("leeroo", STREAMED));
    cr_expect_not(strstr(plain, "prompt_tokens"), "nobody asked for usage: %s", plain);
    free(plain);
    stage_end(s);
}

Test(plan_run, who_disagree_go_to_the_last)
{
    struct stage *s = stage_begin_plan(", retries: 0", SERVE_TEST_PANEL);
    play(s, SAYS("B"), SAYS("C"), SAYS("D"));
    log_catch();
    stage_expect(s, CHAT_PATH, ASK, 200, "The answer is (D).", FROM("dear"),
                 "x-leeroo-cost-usd: " THREE "\r\n", NULL);
    log_wait("dear answered 0.000350000 ");
    cr_expect(strstr(log_read(), " plan=panel(cheap,mid->dear) ") ||
                  strstr(log_read(), " plan=\"panel(cheap,mid->dear)\" "),
              "%s", log_read());
    cr_expect(strstr(log_read(), " cost_usd=" THREE " "), "%s", log_read());
    log_release();
    expect_asked(s, 1, 1, 1);
    stage_end(s);
}

/* It is the dear one's turn for certain, so the silent one is not waited for. */
static void expect_certain(struct canned cheap)
{
    struct stage *s = stage_begin_plan(", retries: 0", SERVE_TEST_PANEL);
    play(s, cheap, SILENT, SAYS("D"));
    stage_expect(s, CHAT_PATH, ASK, 200, FROM("dear"), "x-leeroo-cost-basis: estimated\r\n",
                 "\"outcome\":\"cancelled\"", NULL);
    wait_gone(s);
    expect_asked(s, 1, 1, 1);
    stage_end(s);
}

Test(plan_run, one_that_cannot_be_told_cancels_the_other)
{
    expect_certain(UNTOLD);
}

Test(plan_run, one_that_fails_cancels_the_other)
{
    expect_certain(BROKEN);
}

Test(plan_run, when_the_last_fails_or_cannot_be_told_the_first_answer_that_can_stands)
{
    const struct canned last[] = {BROKEN, UNTOLD};
    for (size_t i = 0; i < 2; i++) {
        struct stage *s = stage_begin_plan(", retries: 0", SERVE_TEST_PANEL);
        play(s, SAYS("B"), SAYS("C"), last[i]);
        stage_expect(s, CHAT_PATH, ASK, 200, "The answer is (", PLAN, NULL);
        expect_asked(s, 1, 1, 1);
        stage_end(s);
    }
}

Test(plan_run, a_last_that_fails_before_its_first_word_leaves_a_stream_to_a_first)
{
    struct stage *s = stage_begin_plan(", retries: 0", SERVE_TEST_PANEL);
    play(s, STREAMS("B"), STREAMS("C"), BROKEN);
    stage_expect(s, CHAT_PATH, ASK_STREAM, 200, "The answer ", DONE_EVENT, "\"outcome\":\"failed\"",
                 NULL);
    stage_end(s);
}

Test(plan_run, when_all_fail_the_error_goes_through)
{
    struct stage *s = stage_begin_plan(", retries: 0", SERVE_TEST_PANEL);
    play(s, BROKEN, BROKEN, BROKEN);
    stage_expect(s, CHAT_PATH, ASK, 502, "answered 500: broken", FROM("dear"), PLAN, NULL);
    stage_expect(s, CHAT_PATH, ASK_STREAM, 502, "answered 500: broken", NULL);
    stage_end(s);
}

Test(plan_run, others_are_asked_when_all_members_fail)
{
    struct stage *s = stage_begin_plan(", retries: 0", "cascade(cheap→dear~");
    play(s, BROKEN, SAYS("C"), BROKEN);
    stage_expect(s, CHAT_PATH, ASK, 200, "The answer is (C).", FROM("mid"),
                 "x-leeroo-plan: cascade(cheap->dear ~", "x-leeroo-cost-usd: 0.000025000\r\n",
                 NULL);
    expect_asked(s, 1, 1, 1);
    stage_end(s);
}

Test(plan_run, a_member_is_tried_again)
{
    struct stage *s = stage_begin_plan(", retries: 1", SERVE_TEST_PANEL);
    stage_play(s, CHEAP, BROKEN);
    play(s, SAYS("B"), SAYS("B"), SAYS("C"));
    stage_expect(s, CHAT_PATH, ASK, 200, FROM("cheap"), "x-leeroo-cost-usd: " TWO "\r\n", NULL);
    expect_asked(s, 2, 1, 0);
    stage_end(s);
}

static void leave_amid(struct canned cheap, struct canned mid, struct canned dear,
                       const char *request, size_t calls, size_t gone)
{
    struct stage *s = stage_begin_plan(", retries: 0", SERVE_TEST_PANEL);
    play(s, cheap, mid, dear);
    log_catch();
    int fd = stage_send(s, CHAT_PATH, request);
    for (size_t i = 0; i < calls; i++)
        sem_wait(&s->asked);
    usleep(50000);
    close(fd);
    for (size_t i = 0; i < gone; i++)
        wait_gone(s);
    log_wait("error=\"client gone\"");
    cr_expect(strstr(log_read(), " status=499 ") && strstr(log_read(), " cancelled 0."), "%s",
              log_read());
    log_release();
    stage_end(s);
}

Test(plan_run, a_client_that_leaves_cancels_whatever_runs)
{
    const struct canned begun = {.manner = CANNED_BEGIN, .body = TEXT_EVENT("one ")};
    leave_amid(SILENT, SILENT, SAYS("D"), ASK, 2, 2);
    leave_amid(SAYS("B"), SILENT, SAYS("D"), ASK, 2, 1);
    leave_amid(SAYS("B"), SAYS("C"), SILENT, ASK, 3, 1);
    leave_amid(STREAMS("B"), STREAMS("C"), begun, ASK_STREAM, 3, 1);
}

Test(plan_run, a_check_that_was_learnt_holds_all_back)
{
    struct stage *s = stage_begin_plan(", retries: 0", "panel(cheap,mid→dear~");
    play(s, STREAMS("B"), STREAMS("C"), STREAMS("D"));
    char *answer = stage_ask(s, CHAT_PATH, ASK_STREAM);
    cr_expect(strstr(answer, "x-leeroo-plan: panel(cheap,mid->dear ~"), "%s", answer);
    cr_expect(strstr(answer, "x-leeroo-cost-basis: usage\r\n"), "the head knows it all: %s",
              answer);
    free(answer);
    stage_end(s);
}
