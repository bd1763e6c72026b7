/* The journal of calls: what is written is read, a last line that is cut goes, any other damage is said. */
#include "calls/call_journal.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct arena *arena;
static char path[64];
static struct call_entry seen[8];
static size_t count;

static void setup(void)
{
    arena = arena_create(16 << 20);
    strcpy(path, "/tmp/leeroo-journal-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    count = 0;
}

static void teardown(void)
{
    unlink(path);
    arena_free(arena);
}

TestSuite(call_journal, .init = setup, .fini = teardown);

static enum status keep(void *arg, const struct call_entry *e, struct error *err)
{
    (void)arg, (void)err;
    cr_assert_lt(count, 8);
    seen[count++] = *e;
    return OK;
}

static void put(const char *bytes)
{
    FILE *f = fopen(path, "ae");
    cr_assert(f && fputs(bytes, f) >= 0 && fclose(f) == 0);
}

static enum status read_all(struct error *err)
{
    struct call_journal j;
    count = 0;
    enum status status = call_journal_open(&j, path, arena, keep, NULL, err);
    call_journal_close(&j);
    return status;
}

static const struct call_entry answer = {.kind = ENTRY_ANSWER,
                                         .key = STR_INIT("cell/q \"1\"/gpt"),
                                         .expert = STR_INIT("gpt"),
                                         .text = STR_INIT("one\ntwo \xc3\xa4"),
                                         .asked = UINT64_C(0xfedcba9876543210),
                                         .nano_usd = 12345,
                                         .basis = COST_ESTIMATED,
                                         .input_tokens = 7,
                                         .output_tokens = 9,
                                         .latency_ms = 11,
                                         .certainty = {true, 2.25f, 1.0f / 3, 9}};

static void append(const struct call_entry *entries, size_t n)
{
    struct call_journal j;
    struct error err;
    cr_assert_eq(call_journal_open(&j, path, arena, keep, NULL, &err), OK, "%s", err.text);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(call_journal_append(&j, &entries[i], 0, &err), OK, "%s", err.text);
    cr_assert_eq(call_journal_sync(&j, &err), OK);
    call_journal_close(&j);
}

Test(call_journal, what_is_written_is_read)
{
    const struct call_entry entries[] = {
        {.kind = ENTRY_INTENT, .key = STR("a"), .nano_usd = 5, .limit_nano_usd = 2},
        {.kind = ENTRY_MORE, .key = STR("a"), .nano_usd = 6},
        answer,
        {.kind = ENTRY_FAILURE, .key = STR("b"), .expert = STR("x"), .text = STR("500: no")},
    };
    append(entries, 4);
    cr_assert_eq(read_all(NULL), OK);
    cr_assert_eq(count, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(seen[i].kind, entries[i].kind);
        cr_assert(str_equal(seen[i].key, entries[i].key));
        cr_assert(str_equal(seen[i].expert, entries[i].expert));
        cr_assert(str_equal(seen[i].text, entries[i].text));
        cr_assert_eq(seen[i].nano_usd, entries[i].nano_usd);
    }
    cr_assert_eq(seen[0].limit_nano_usd, 2);
    cr_assert_eq(seen[2].asked, answer.asked);
    cr_assert_eq(seen[2].basis, COST_ESTIMATED);
    cr_assert_eq(seen[2].input_tokens, 7);
    cr_assert_eq(seen[2].output_tokens, 9);
    cr_assert_eq(seen[2].latency_ms, 11);
    cr_assert(seen[2].certainty.known && seen[2].certainty.mean == 2.25f &&
              seen[2].certainty.least == 1.0f / 3 && seen[2].certainty.last == 9);
}

Test(call_journal, a_cut_last_line_goes_and_the_next_is_whole)
{
    struct buf line;
    buf_init(&line, 4096);
    call_entry_write(&answer, &line);
    for (size_t cut = 1; cut < line.len; cut += 7) {
        cr_assert_eq(truncate(path, 0), 0);
        append(&answer, 1);
        FILE *f = fopen(path, "ae");
        cr_assert_eq(fwrite(line.ptr, 1, cut, f), cut);
        fclose(f);
        append(&answer, 1);
        cr_assert_eq(read_all(NULL), OK);
        cr_assert_eq(count, 2, "cut at %zu: %zu", cut, count);
    }
    buf_done(&line);
}

Test(call_journal, pages_that_never_reached_the_disk_go_too)
{
    append(&answer, 1);
    put("\x01\x01\x01\n");
    append(&answer, 1);
    cr_assert_eq(read_all(NULL), OK);
    cr_assert_eq(count, 2);
}

Test(call_journal, damage_in_the_middle_is_said)
{
    static const char *const broken[] = {
        "nonsense\n",
        "{}\n",
        "{\"intent\":\"a\"}\n",
        "{\"intent\":\"a\",\"reserved_nano_usd\":-1}\n",
        "{\"key\":\"a\",\"expert\":\"x\",\"cost_nano_usd\":1,\"asked\":\"12\"}\n",
        "{\"failed\":\"a\",\"expert\":\"x\",\"cost_nano_usd\":1}\n",
        "{\"key\":\"a\",\"expert\":\"x\",\"cost_nano_usd\":1,\"asked\":\"0000000000000001\","
        "\"input_tokens\":1,\"output_tokens\":1,\"basis\":\"usage\",\"latency_ms\":1,"
        "\"certainty\":[1],\"text\":\"x\"}\n",
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct error err = {0};
        cr_assert_eq(truncate(path, 0), 0);
        put(broken[i]);
        put("{\"intent\":\"b\",\"reserved_nano_usd\":1}\n");
        cr_assert_eq(read_all(&err), ERR_CORRUPT, "%s", broken[i]);
        cr_assert(strstr(err.text, ":1"), "%s", err.text);
    }
}

/* The limit of a file stands for a disk that is full for a moment. */
Test(call_journal, nothing_follows_a_line_that_was_written_in_part)
{
    struct call_journal j;
    struct rlimit small = {.rlim_cur = 300, .rlim_max = RLIM_INFINITY}, large = small;
    enum status status = OK;
    large.rlim_cur = RLIM_INFINITY;
    (void)signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(call_journal_open(&j, path, arena, keep, NULL, NULL), OK);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 8 && status == OK; i++)
        status = call_journal_append(&j, &answer, 0, NULL);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &large), 0);
    cr_assert_eq(status, ERR_IO);
    cr_assert_eq(call_journal_append(&j, &answer, 0, NULL), ERR_IO, "there is room, too late");
    call_journal_close(&j);
    cr_assert_eq(read_all(NULL), OK);
    cr_assert_gt(count, 0);
}

Test(call_journal, in_memory_only_writes_nothing)
{
    struct call_journal j;
    cr_assert_eq(call_journal_open(&j, NULL, arena, keep, NULL, NULL), OK);
    cr_assert_eq(call_journal_append(&j, &answer, 0, NULL), OK);
    cr_assert_eq(call_journal_sync(&j, NULL), OK);
    call_journal_close(&j);
    cr_assert_eq(count, 0);
}

Test(call_journal, what_another_machine_has_paid_is_known_by_its_id)
{
    struct call_journal j;
    struct call_entry e = answer;
    e.paid = STR("req_1");
    cr_assert_eq(call_journal_open(&j, path, arena, keep, NULL, NULL), OK);
    cr_assert_eq(call_journal_append(&j, &e, 0, NULL), OK);
    e.kind = ENTRY_AGAIN;
    e.nano_usd = 12;
    cr_assert_eq(call_journal_append(&j, &e, 0, NULL), OK);
    call_journal_close(&j);
    cr_assert_eq(read_all(NULL), OK);
    cr_assert_eq(count, 2u);
    cr_assert(seen[0].kind == ENTRY_ANSWER && str_equal(seen[0].paid, STR("req_1")));
    cr_assert(seen[1].kind == ENTRY_AGAIN && seen[1].nano_usd == 12);
    cr_assert(str_equal(seen[1].paid, STR("req_1")) && str_equal(seen[1].key, answer.key));
}
