/* Budget states survive the way to a file and back; anything else is refused and changes nothing. */
#include "plan/budget_state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/file.h"
#include "base/rng.h"

static struct budget_named make(const char *name, double usd_per_1k, uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    return (struct budget_named){.name = str_from(name),
                                 .usd_per_1k = usd_per_1k,
                                 .state = {.queries = 1 + rng_below(&r, 1000000),
                                           .spent_usd = rng_uniform(&r) * 100,
                                           .debt = rng_uniform(&r) - 0.5,
                                           .mix = rng_uniform(&r) * 1e3 - 500,
                                           .mix_squares = rng_uniform(&r),
                                           .run = rng_uniform(&r) - 0.5,
                                           .run_squares = rng_uniform(&r) * 1e-9}};
}

static void names_only(const struct budget_named *from, struct budget_named *into, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] = (struct budget_named){.name = from[i].name, .usd_per_1k = from[i].usd_per_1k};
}

Test(budget_state, what_is_written_reads_back_exactly)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct budget_named written[] = {make("thrifty", 0.1, seed),
                                         make("a \"b\"\n", 1e-9, ~seed)};
        struct budget_named read[2];
        bool found[2] = {false, false};
        struct buf text;
        struct error err;
        buf_init(&text, BUDGET_STATE_BYTES_MAX);
        budget_state_write(&text, written, 2);
        names_only(written, read, 2);
        cr_assert_eq(budget_state_parse(buf_str(&text), "t", read, found, 2, &err), OK, "%s",
                     err.text);
        cr_assert(found[0] && found[1]);
        for (size_t i = 0; i < 2; i++)
            cr_assert_eq(memcmp(&read[i].state, &written[i].state, sizeof(read[i].state)), 0);
        buf_done(&text);
    }
}

Test(budget_state, another_target_or_name_begins_anew)
{
    struct budget_named written[] = {make("a", 0.1, 1), make("b", 0.2, 2)};
    struct budget_named read[] = {{.name = STR("a"), .usd_per_1k = 0.11},
                                  {.name = STR("c"), .usd_per_1k = 0.2},
                                  {.name = STR("b"), .usd_per_1k = 0.2}};
    bool found[3] = {false, false, false};
    struct buf text;
    struct error err;
    buf_init(&text, BUDGET_STATE_BYTES_MAX);
    budget_state_write(&text, written, 2);
    cr_assert_eq(budget_state_parse(buf_str(&text), "t", read, found, 3, &err), OK);
    cr_assert(!found[0] && !found[1] && found[2]);
    cr_assert(read[0].state.queries == 0 && read[2].state.queries == written[1].state.queries);
    buf_done(&text);
}

#define ROW                                                                                        \
    "\"usd_per_1k\": 1, \"spent_usd\": 0, \"debt\": 0, \"mix\": 0, \"mix_squares\": 0, "           \
    "\"run\": 0, \"run_squares\": 0"
#define HEAD "{\"format\": \"leeroo-budgets\", \"version\": 1, \"budgets\": {"

Test(budget_state, damage_is_refused_and_fills_nothing)
{
    static const struct {
        const char *text;
        enum status status;
    } bad[] = {
        {"", ERR_INPUT},
        {"{}", ERR_INPUT},
        {"[1]", ERR_INPUT},
        {HEAD, ERR_INPUT},
        {"{\"format\": \"other\", \"version\": 1, \"budgets\": {}}", ERR_INPUT},
        {"{\"format\": \"leeroo-budgets\", \"version\": 2, \"budgets\": {}}", ERR_UNSUPPORTED},
        {"{\"format\": \"leeroo-budgets\", \"version\": 1}", ERR_INPUT},
        {HEAD "\"a\": 1}}", ERR_INPUT},
        {HEAD "\"a\": {" ROW "}}}", ERR_INPUT},
        {HEAD "\"a\": {\"queries\": -1, " ROW "}}}", ERR_INPUT},
        {HEAD "\"a\": {\"queries\": 1.5, " ROW "}}}", ERR_INPUT},
        {HEAD "\"a\": {\"queries\": 3, \"usd_per_1k\": 1}}}", ERR_INPUT},
        {HEAD "\"good\": {\"queries\": 3, " ROW "}, \"a\": {\"queries\": 3}}}", ERR_INPUT},
        {HEAD "\"good\": {\"queries\": 3, " ROW ", \"spent_usd\": -1}}}", ERR_INPUT},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct budget_named good = {.name = STR("good"), .usd_per_1k = 1};
        bool found = false;
        struct error err = {0};
        enum status status =
            budget_state_parse(str_from(bad[i].text), "state.json", &good, &found, 1, &err);
        cr_expect_eq(status, bad[i].status, "%zu: %s", i, err.text);
        cr_expect(strstr(err.text, "state.json"), "%s", err.text);
        cr_expect(!found && good.state.queries == 0, "%zu", i);
    }
}

Test(budget_state, files_appear_whole_and_damaged_ones_are_kept)
{
    char folder[] = "/tmp/leeroo-test-XXXXXX", path[64], aside[80];
    struct error err;
    bool found = false;
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/b.json", folder);
    snprintf(aside, sizeof(aside), "%s.damaged", path);
    struct budget_named written = make("a", 0.1, 7), read = {0};
    names_only(&written, &read, 1);
    cr_assert_eq(budget_state_load(path, &read, &found, 1, &err), OK); /* none yet */
    cr_assert(!found);
    cr_assert_eq(budget_state_save(path, &written, 1, &err), OK);
    cr_assert_eq(budget_state_load(path, &read, &found, 1, &err), OK);
    cr_assert(found && read.state.queries == written.state.queries);
    cr_assert_eq(truncate(path, 40), 0);
    cr_assert_neq(budget_state_load(path, &read, &found, 1, &err), OK);
    cr_assert_eq(budget_state_set_aside(path, &err), OK);
    cr_assert(access(path, F_OK) != 0 && access(aside, F_OK) == 0);
    cr_assert_neq(budget_state_save("/nowhere/at/all", &written, 1, &err), OK);
    unlink(aside);
    rmdir(folder);
}
