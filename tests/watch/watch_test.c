/* The ledger of a test, and its reader. */
#include "watch_test.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_MS 20000

struct ledger *watch_test_ledger;
struct arena *watch_test_arena;
static struct ledger_reader *reader;
static char folder[64], store[100], journal[100];

void watch_test_begin(void)
{
    strcpy(folder, "/tmp/leeroo-watch-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(store, sizeof(store), "%s/l", folder);
    snprintf(journal, sizeof(journal), "%s/j", folder);
    const struct ledger_options o = {
        .store = store, .journal_path = journal, .journal_bytes = 1u << 20};
    cr_assert_eq(ledger_open(&o, &watch_test_ledger, NULL), OK);
    cr_assert_eq(ledger_reader_create(store, &reader, NULL), OK);
    watch_test_arena = arena_create(1u << 20);
}

void watch_test_end(void)
{
    char path[120];
    ledger_close(watch_test_ledger);
    ledger_reader_free(reader);
    arena_free(watch_test_arena);
    unlink(store);
    unlink(journal);
    snprintf(path, sizeof(path), "%s-wal", store);
    unlink(path);
    snprintf(path, sizeof(path), "%s-shm", store);
    unlink(path);
    cr_assert_eq(rmdir(folder), 0);
}

enum status watch_test_read(const char *id, struct ledger_found *ret)
{
    struct error err = {0};
    cr_assert(ledger_flush(watch_test_ledger, FLUSH_MS));
    enum status status = ledger_read_request(reader, str_from(id), watch_test_arena, ret, &err);
    cr_assert(status == OK || status == ERR_NOT_FOUND, "%s", err.text);
    return status;
}

static enum status take_spend(const struct spend *s, void *arg, struct error *err)
{
    (void)err;
    *(struct spend *)arg = *s;
    return OK;
}

struct spend watch_test_spend(void)
{
    struct spend sum = {0};
    cr_assert(ledger_flush(watch_test_ledger, FLUSH_MS));
    cr_assert_eq(ledger_read_spend(reader, SPEND_TOTAL, 0, INT64_MAX, take_spend, &sum, NULL), OK);
    sum.group = STR("");
    return sum;
}
