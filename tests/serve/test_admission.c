/* Admission to a running gateway, byte by byte; who gets in is in test_keys.c and tests/e2e/test_keys.py. */
#include "serve/admission.h"

#include <stdlib.h>

#include "keys/key_scene.h"
#include "stage.h"

static struct stage *stage;
static char secret[KEY_SECRET_BYTES];

static void begin_with(int64_t budget_nano_usd, const char *plan)
{
    key_scene_begin();
    key_scene_add("key_a", secret)->limits.budget_nano_usd[KEY_TOTAL] = budget_nano_usd;
    key_scene_save();
    stage = plan ? stage_prepare_plan(", retries: 0", plan) : stage_prepare(", retries: 0", NULL);
    stage->config->keys_path = key_scene.config.keys_path;
    stage->config->spend_path = key_scene.config.spend_path;
    stage_start(stage);
}

static void begin(int64_t budget_nano_usd)
{
    begin_with(budget_nano_usd, NULL);
}

static void end(void)
{
    stage_end(stage);
    key_scene_end();
}

static char *ask(const char *head, const char *body)
{
    char text[2048];
    int fd = test_connect(stage->port);
    snprintf(text, sizeof(text),
             "%s\r\nhost: h\r\nconnection: close\r\ncontent-type: application/json\r\n"
             "content-length: %zu\r\n\r\n%s",
             head, strlen(body), body);
    test_send(fd, text);
    char *answer = test_read_all(fd);
    close(fd);
    return answer;
}

static void expect(const char *head, const char *body, const char *status, const char *part)
{
    char *answer = ask(head, body);
    cr_expect(strstr(answer, status), "%s: %s", head, answer);
    cr_expect(strstr(answer, part), "%s: %s", head, answer);
    cr_expect_null(strstr(answer, secret), "a key came back");
    free(answer);
}

static int64_t open_nano_usd(void)
{
    struct key_spent spent;
    cr_assert_eq(key_spend_read(key_scene.spend_path, key_scene.file.rows, 1, &spent, NULL), OK);
    return spent.open_nano_usd;
}

Test(admission, errors_are_in_the_words_of_the_path)
{
    begin(KEY_UNLIMITED);
    expect("GET /v1/models HTTP/1.1", "", "401", "{\"error\":{\"message\":\"an API key is needed");
    expect("GET /v1/models HTTP/1.1\r\nauthorization: Bearer x", "", "401",
           "\"code\":\"invalid_api_key\"");
    expect("POST /v1/messages HTTP/1.1\r\nx-api-key: x", "{}", "401", "{\"type\":\"error\"");
    expect("POST /v1/messages/batches HTTP/1.1", "{}", "401", "{\"type\":\"error\"");
    expect("GET /nowhere HTTP/1.1", "", "401", "www-authenticate: Bearer");
    expect("GET /healthz HTTP/1.1", "", "200", "ok");
    end();
}

Test(admission, one_good_header_is_enough)
{
    static const char *const ways[] = {"authorization: Bearer %s", "Authorization: bearer %s ",
                                       "X-API-Key: %s", "api-key: %s",
                                       "authorization: Basic eDp5\r\napi-key: %s"};
    char way[256], head[320];
    begin(KEY_UNLIMITED);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        snprintf(way, sizeof(way), "%s", ways[i]);
        char *at = strstr(way, "%s");
        snprintf(head, sizeof(head), "GET /v1/models HTTP/1.1\r\n%.*s%s%s", (int)(at - way), way,
                 secret, at + 2);
        expect(head, "", "200", "\"leeroo\"");
    }
    expect("GET /nowhere HTTP/1.1", "", "401", "needed");
    end();
}

/* A client that leaves while its request waits gives back what was reserved, and pays for what went out. */
Test(admission, nothing_stays_reserved)
{
    char text[512];
    begin(NANO_PER_USD);
    stage_play(stage, CHEAP, (struct canned){.manner = CANNED_NOTHING});
    snprintf(text, sizeof(text),
             "POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer %s\r\n"
             "content-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
             secret, strlen(CHAT_TO("leeroo", "")), CHAT_TO("leeroo", ""));
    int fd = test_connect(stage->port);
    test_send(fd, text);
    test_wait(&stage->asked);
    cr_expect_gt(open_nano_usd(), 0);
    close(fd);
    test_wait(&stage->gone);
    for (int i = 0; i < 1000 && open_nano_usd() != 0; i++)
        usleep(10000);
    cr_expect_eq(open_nano_usd(), 0);
    end();
}

/* The members of a plan are asked one budget together: what is left after the first two does not reach for the last. */
Test(admission, no_member_of_a_plan_gets_around_a_budget)
{
    char head[128];
    begin_with(345000,
               SERVE_TEST_PANEL); /* the plan is expected to cost less; with all three, more */
    stage_play(stage, CHEAP, (struct canned){.body = WHOLE("The answer is 4.", USAGE(10, 5))});
    stage_play(stage, MID, (struct canned){.body = WHOLE("The answer is 5.", USAGE(10, 5))});
    stage_play(stage, DEAR, (struct canned){.body = WHOLE("The answer is 6.", USAGE(10, 5))});
    snprintf(head, sizeof(head), "POST " CHAT_PATH " HTTP/1.1\r\nauthorization: Bearer %s", secret);
    expect(head, CHAT_TO("leeroo", ""), "200", "The answer is ");
    cr_expect(stage_asked(stage, CHEAP) == 1 && stage_asked(stage, MID) == 1);
    cr_expect_eq(stage_asked(stage, DEAR), 0);
    cr_expect_eq(open_nano_usd(), 0);
    key_scene.file.rows[0].limits.budget_nano_usd[KEY_TOTAL] = KEY_UNLIMITED;
    key_scene_save();
    for (int i = 0; i < 20 && stage_asked(stage, DEAR) == 0; i++) { /* until the file is read */
        free(ask(head, CHAT_TO("leeroo", "")));
        usleep(100000);
    }
    cr_expect_eq(stage_asked(stage, DEAR), 1, "else it is asked");
    end();
}

Test(admission, nobody_is_asked_for_a_plan_that_the_budget_does_not_reach_for)
{
    char head[128];
    begin_with(10000, SERVE_TEST_PANEL);
    stage_play(stage, CHEAP, (struct canned){.body = WHOLE("The answer is 4.", USAGE(10, 5))});
    snprintf(head, sizeof(head), "POST " CHAT_PATH " HTTP/1.1\r\nauthorization: Bearer %s", secret);
    expect(head, CHAT_TO("leeroo", ""), "429", "insufficient_quota");
    cr_expect(stage_asked(stage, CHEAP) == 0 && stage_asked(stage, MID) == 0);
    cr_expect(stage_asked(stage, DEAR) == 0 && open_nano_usd() == 0);
    end();
}
