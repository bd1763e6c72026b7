/* Folders and rows for the tests of store/. */
#include "store_test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATHS_MAX 16

static char folder[64];
static char paths[PATHS_MAX][STORE_TEST_PATH_BYTES];
static size_t path_count;

void store_test_begin(void)
{
    strcpy(folder, "/tmp/leeroo-store-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    path_count = 0;
}

void store_test_end(void)
{
    DIR *dir = opendir(folder);
    cr_assert_not_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char path[sizeof(folder) + sizeof(e->d_name) + 1];
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    closedir(dir);
    cr_assert_eq(rmdir(folder), 0);
}

const char *store_test_path(const char *name)
{
    char *into = paths[path_count++ % PATHS_MAX];
    snprintf(into, STORE_TEST_PATH_BYTES, "%s/%s", folder, name);
    return into;
}

struct ledger *store_test_open(void)
{
    struct ledger *l = NULL;
    struct error err = {0};
    const struct ledger_options o = {.store = store_test_path("l.sqlite"),
                                     .journal_path = store_test_path("l.journal"),
                                     .journal_bytes = 8u << 20};
    cr_assert_eq(ledger_open(&o, &l, &err), OK, "%s", err.text);
    return l;
}

int64_t store_test_cost(unsigned number)
{
    return 1000001 + (int64_t)number * 7;
}

struct ledger_request store_test_request(const char *id, unsigned number)
{
    return (struct ledger_request){
        .id = id,
        .begin_wall_ms = INT64_C(1790000000000) + number,
        .front = STR("chat"),
        .key = number % 2 ? STR("k1") : STR(""),
        .policy = STR("default"),
        .model = STR("leeroo"),
        .expert = number % 3 ? STR("cheap") : STR("dear"),
        .plan = STR("single"),
        .stream = number % 2,
        .quality = 0.25 + 0.5 / (1 + number),
        .lambda = 1000,
        .predicted_nano_usd = 500 + number,
        .reference_nano_usd = 5000000,
    };
}

void store_test_say_begin(struct ledger *l, const char *id, unsigned number)
{
    const struct ledger_begin row = {.request = store_test_request(id, number),
                                     .decision = STR("{\"plan\":\"single\"}")};
    ledger_begin(l, &row);
}

void store_test_say_end(struct ledger *l, const char *id, unsigned number, const char *outcome)
{
    const struct ledger_end row = {.request = store_test_request(id, number),
                                   .outcome = str_from(outcome),
                                   .basis = STR("usage"),
                                   .http_status = 200,
                                   .cost_nano_usd = store_test_cost(number),
                                   .input_tokens = 100 + number,
                                   .cached_tokens = 40,
                                   .cache_write_tokens = 3,
                                   .output_tokens = 50,
                                   .reasoning_tokens = 20,
                                   .attempts = 1,
                                   .first_token_ms = number % 2 ? 12 : -1,
                                   .total_ms = 345};
    ledger_end(l, &row);
}
