/* GET /v1/models */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage.h"

#define POLICIES "policies: {default: {lambda: 1}, thrift: {lambda: 2}}\n"

static void expect_one(struct stage *s, const char *path, const char *id)
{
    char wanted[200];
    snprintf(wanted, sizeof(wanted),
             "\r\n\r\n{\"id\":\"%s\",\"object\":\"model\",\"created\":0,\"owned_by\":\"leeroo\",",
             id);
    stage_expect(s, path, NULL, 200, wanted, NULL);
}

Test(models, lists_the_routers_names_and_the_experts)
{
    struct stage *s = stage_begin(NULL, POLICIES);
    static const char *const names[] = {"leeroo", "leeroo/default", "leeroo/thrift", "cheap", "mid",
                                        "dear"};
    char *answer = stage_ask(s, "/v1/models", NULL);
    const char *at = strstr(answer, "{\"object\":\"list\",\"data\":[{\"id\":\"leeroo\"");
    cr_assert(at, "%s", answer);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char id[64];
        snprintf(id, sizeof(id), "{\"id\":\"%s\",", names[i]);
        at = strstr(at, id);
        cr_assert(at, "%s in its turn: %s", names[i], answer);
    }
    cr_expect_null(strstr(at + strlen("{\"id\""), "\"id\""), "and no more: %s", answer);
    free(answer);
    stage_end(s);
}

Test(models, shows_one)
{
    struct stage *s = stage_begin(NULL, POLICIES);
    expect_one(s, "/v1/models/cheap", "cheap");
    expect_one(s, "/v1/models/leeroo", "leeroo");
    expect_one(s, "/v1/models/leeroo/thrift", "leeroo/thrift");
    expect_one(s, "/v1/models/leeroo%2Fthrift", "leeroo/thrift"); /* as some clients write it */
    expect_one(s, "/v1/models/%63heap?x=1", "cheap");
    stage_end(s);
}

Test(models, what_does_not_exist)
{
    static const char *const paths[] = {"/v1/models/gpt-4",    "/v1/models/",
                                        "/v1/models/leeroo/",  "/v1/models/leeroo/none",
                                        "/v1/models/cheap%2",  "/v1/models/cheap%zz",
                                        "/v1/models/cheap%00", "/v1/models/%22%7d"};
    struct stage *s = stage_begin(NULL, POLICIES);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char *answer = stage_ask(s, paths[i], NULL);
        cr_expect(str_starts(str_from(answer), STR("HTTP/1.1 404 ")), "%s: %s", paths[i], answer);
        cr_expect(strstr(answer, "\"code\":\"model_not_found\""), "%s", answer);
        cr_expect(strstr(answer, "does not exist"), "it says why: %s", answer);
        free(answer);
    }
    stage_end(s);
}
