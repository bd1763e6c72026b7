/* How long calls are expected to take, with the clock passed in. */
#include "gate/gate.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>

struct desk {
    struct gates *table;
    struct gate *gate;
};

static struct desk open_desk(uint32_t configured_ms)
{
    struct desk d = {0};
    const struct expert e = {.name = STR("dear"), .latency_ms = configured_ms};
    cr_assert_eq(gates_create(&d.table, NULL), OK);
    cr_assert_eq(gates_bind(d.table, GATE_CHAT, &e, 1, 0, &d.gate, NULL), OK);
    return d;
}

static void close_desk(struct desk *d)
{
    gates_release(d->table, &d->gate, 1);
    gates_free(d->table);
}

static void expect_ms(const struct desk *d, uint64_t now_ms, uint32_t ms)
{
    struct gate_reading r;
    cr_expect_eq(gate_latency_ms(d->gate, now_ms), ms, "%u ms, not %u",
                 gate_latency_ms(d->gate, now_ms), ms);
    gate_read(d->gate, now_ms, &r);
    cr_expect_eq(r.latency_ms, ms);
}

Test(gate_latency, is_unknown_until_the_first_answer)
{
    struct desk d = open_desk(0);
    expect_ms(&d, 5000, 0);
    gate_took(d.gate, 5000, 1600, false);
    expect_ms(&d, 5000, 1600);
    close_desk(&d);
}

Test(gate_latency, what_its_owner_says_counts_until_then)
{
    struct desk d = open_desk(2000);
    const struct expert e = {.name = STR("dear"), .latency_ms = 3000};
    struct gate *again;
    expect_ms(&d, 5000, 2000);
    cr_assert_eq(gates_bind(d.table, GATE_CHAT, &e, 1, 0, &again, NULL), OK);
    expect_ms(&d, 5000, 3000);
    gate_took(d.gate, 5000, 400, false);
    expect_ms(&d, 5000, 400);
    gates_release(d.table, &again, 1);
    close_desk(&d);
}

Test(gate_latency, newer_calls_weigh_an_eighth_each)
{
    struct desk d = open_desk(0);
    double mean = 1000;
    gate_took(d.gate, 0, 1000, false);
    for (uint64_t i = 1; i <= 30; i++) {
        uint64_t took = 500 + 100 * i;
        gate_took(d.gate, i, took, false);
        mean += ((double)took - mean) / 8;
        cr_expect_leq(fabs((double)gate_latency_ms(d.gate, i) - mean), 1);
    }
    close_desk(&d);
}

/* Were it left out, an expert that is always too slow would never be seen to be. */
Test(gate_latency, a_call_that_was_called_off_counts_where_it_ran_for_longer)
{
    struct desk d = open_desk(0);
    gate_took(d.gate, 0, 1000, false);
    gate_took(d.gate, 0, 900, true);
    expect_ms(&d, 0, 1000);
    gate_took(d.gate, 0, 5000, true);
    expect_ms(&d, 0, 1000 + 9000 / 8);
    close_desk(&d);
}

Test(gate_latency, what_was_only_called_off_is_a_guess)
{
    struct desk d = open_desk(0);
    gate_took(d.gate, 0, 10, true);
    expect_ms(&d, 0, 20);
    gate_took(d.gate, 0, 4000, false);
    expect_ms(&d, 0, 4000);
    close_desk(&d);
}

Test(gate_latency, is_forgotten_when_nothing_is_heard)
{
    struct desk d = open_desk(700);
    uint64_t last = 123456;
    gate_took(d.gate, last, 9000, false);
    expect_ms(&d, last + GATE_LATENCY_MEMORY_MS, 9000);
    expect_ms(&d, last + GATE_LATENCY_MEMORY_MS + 1000, 700);
    gate_took(d.gate, last + GATE_LATENCY_MEMORY_MS + 1000, 300, false);
    expect_ms(&d, last + GATE_LATENCY_MEMORY_MS + 1000, 300);
    close_desk(&d);
}

Test(gate_latency, any_duration_is_a_number)
{
    const uint64_t now_ms = UINT64_C(1) << 40;
    struct desk d = open_desk(0);
    gate_took(d.gate, now_ms, 0, false);
    expect_ms(&d, now_ms, 1);
    gate_took(d.gate, now_ms, UINT64_MAX, true);
    cr_expect_gt(gate_latency_ms(d.gate, now_ms), 1);
    close_desk(&d);
}

static void *take_many(void *arg)
{
    for (int i = 0; i < 20000; i++)
        gate_took(arg, 0, 1000, false);
    return NULL;
}

Test(gate_latency, threads_share_it)
{
    struct desk d = open_desk(0);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, take_many, d.gate), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    expect_ms(&d, 0, 1000);
    close_desk(&d);
}
