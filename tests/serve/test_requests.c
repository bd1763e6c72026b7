/* GET /v1/requests/ID and POST /v1/feedback over a real ledger. */
#include "serve/requests.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"

static char folder[64];

static void begin(void)
{
    strcpy(folder, "/tmp/leeroo-desk-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    DIR *dir = opendir(folder);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char path[400];
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    closedir(dir);
    rmdir(folder);
}

TestSuite(requests, .init = begin, .fini = end, .timeout = 60);

static struct stage *stage_with_ledger(const char *store)
{
    char yaml[256];
    snprintf(yaml, sizeof(yaml), "ledger: {store: %s/%s, journal: 1MiB}\n", folder, store);
    return stage_begin(NULL, yaml);
}

/* Of a chat that is answered. */
static struct str ask(struct stage *s, char id[64])
{
    stage_play(s, CHEAP, (struct canned){.body = WHOLE("hi", USAGE(10, 5))});
    char *answer = stage_ask(s, CHAT_PATH, CHAT_TO("cheap", ""));
    const char *at = strstr(answer, "x-leeroo-request-id: ");
    cr_assert_not_null(at, "%s", answer);
    cr_assert_eq(sscanf(at, "x-leeroo-request-id: %40s", id), 1);
    free(answer);
    return str_from(id);
}

Test(requests, are_explained_and_scored)
{
    struct stage *s = stage_with_ledger("l.sqlite");
    char id[64], path[128], body[256];
    ask(s, id);
    snprintf(path, sizeof(path), "/v1/requests/%s", id);
    stage_expect(s, path, NULL, 200, "\"outcome\":\"answered\"", "\"expert\":\"cheap\"",
                 "\"input_tokens\":10", "\"feedback\":null", "\"members\":[\"cheap\"]", NULL);
    snprintf(body, sizeof(body), "{\"request_id\":\"%s\",\"score\":0.75,\"comment\":\"\\u00e9\"}",
             id);
    stage_expect(s, "/v1/feedback", body, 200, "\"score\":0.75", NULL);
    stage_expect(s, path, NULL, 200, "\"feedback\":{\"score\":0.75,\"comment\":\"\xc3\xa9\"", NULL);
    stage_expect(s, "/v1/requests/req_none", NULL, 404, NULL);
    stage_end(s);
}

Test(requests, without_storage_are_asked_for_later)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/broken", folder);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    for (int i = 0; i < 100; i++)
        fputs("this is no database, only some text; ", f);
    fclose(f);
    log_catch();
    struct stage *s = stage_with_ledger("broken");
    char id[64];
    ask(s, id);
    log_wait("ledger storage is away");
    snprintf(path, sizeof(path), "/v1/requests/%s", id);
    stage_expect(s, path, NULL, 503, "ask again later", NULL);
    stage_end(s);
    cr_expect(strstr(log_read(), "stay in the journal until the next start"));
    log_release();
}
