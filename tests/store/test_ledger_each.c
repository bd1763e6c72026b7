/* ledger_each.h: every request once, in order, over the ends of pages, and none that a filter leaves out. */
#include "store/ledger_each.h"

#include <stdio.h>
#include <string.h>

#include "store_test.h"

static struct ledger *l;
static struct ledger_reader *reader;

static void begin(void)
{
    store_test_begin();
    l = store_test_open();
    cr_assert_eq(ledger_reader_create(store_test_path("l.sqlite"), &reader, NULL), OK);
}

static void end(void)
{
    ledger_reader_free(reader);
    ledger_close(l);
    store_test_end();
}

TestSuite(ledger_each, .init = begin, .fini = end, .timeout = 60);

/* Of a few milliseconds, so that pages end amid one. */
static void say(unsigned count, int64_t first_ms)
{
    char id[40];
    for (unsigned i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "req_%06u", i);
        struct ledger_begin b = {.request = store_test_request(id, i),
                                 .decision = STR("{\"plan\":\"single\"}")};
        b.request.begin_wall_ms = first_ms + i / 400;
        ledger_begin(l, &b);
        struct ledger_end e = {
            .request = b.request, .outcome = STR("answered"), .basis = STR("usage")};
        ledger_end(l, &e);
    }
    cr_assert_eq(ledger_feedback(l, STR("req_000003"), 0.5, STR("so so"), first_ms), OK);
    cr_assert(ledger_flush(l, 20000));
}

struct seen {
    size_t count, with_feedback, with_decision, stop_at;
    char last[40];
    bool ordered;
};

static enum status look(const struct ledger_found *f, void *arg, struct error *err)
{
    struct seen *s = arg;
    char id[40];
    if (s->stop_at && s->count == s->stop_at)
        return error_set(err, ERR_CANCELLED, "enough");
    snprintf(id, sizeof(id), "%.*s", STR_FMT(f->id));
    s->ordered &= s->count == 0 || strcmp(s->last, id) < 0;
    snprintf(s->last, sizeof(s->last), "%s", id);
    s->with_feedback += f->has_feedback;
    s->with_decision += str_equal(f->decision, STR("{\"plan\":\"single\"}"));
    s->count++;
    return OK;
}

static struct seen read_all(struct ledger_filter f)
{
    struct seen s = {.ordered = true};
    struct error err = {0};
    f.to_ms = f.to_ms ? f.to_ms : INT64_MAX;
    cr_assert_eq(ledger_each(reader, &f, look, &s, &err), OK, "%s", err.text);
    cr_assert(s.ordered);
    return s;
}

Test(ledger_each, every_request_once_and_in_order)
{
    say(1700, 1000);
    struct seen s = read_all((struct ledger_filter){0});
    cr_assert_eq(s.count, 1700);
    cr_assert_eq(s.with_decision, 1700);
    cr_assert_eq(s.with_feedback, 1);
}

Test(ledger_each, filters)
{
    say(1000, 1000); /* 1000 to 1002 ms */
    cr_assert_eq(read_all((struct ledger_filter){.from_ms = 1001}).count, 600);
    cr_assert_eq(read_all((struct ledger_filter){.to_ms = 1001}).count, 400);
    cr_assert_eq(read_all((struct ledger_filter){.from_ms = 1001, .to_ms = 1002}).count, 400);
    cr_assert_eq(read_all((struct ledger_filter){.key = STR("k1")}).count, 500);
    cr_assert_eq(read_all((struct ledger_filter){.key = STR("")}).count, 500);
    cr_assert_eq(read_all((struct ledger_filter){.expert = STR("dear")}).count, 334);
    cr_assert_eq(read_all((struct ledger_filter){.policy = STR("default")}).count, 1000);
    cr_assert_eq(read_all((struct ledger_filter){.policy = STR("x' OR '1'='1")}).count, 0);
    cr_assert_eq(read_all((struct ledger_filter){.expert = STR("dear"), .key = STR("k1")}).count,
                 167);
}

Test(ledger_each, ends_where_it_is_told_to)
{
    struct seen s = {.stop_at = 700, .ordered = true};
    struct error err = {0};
    const struct ledger_filter f = {.to_ms = INT64_MAX};
    say(1000, 1000);
    cr_assert_eq(ledger_each(reader, &f, look, &s, &err), ERR_CANCELLED);
    cr_assert_str_eq(err.text, "enough");
    cr_assert_eq(s.count, 700);
}
