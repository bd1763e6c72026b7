/* Late answers on a clock that stands still, by a function that computes when it is told to. */
#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/virtual_clock.h"
#include "reader/late.h"

#define WIDTH   2
#define ASK_MAX 8

/* The encoder: a row is the text's length and its first byte. */
static struct {
    sem_t begun, go; /* of a batch; only where it is held */
    atomic_bool held;
    atomic_int batches, texts, largest;
    _Atomic(enum status) fails; /* all batches */
    atomic_bool dislikes;       /* texts that begin with '!' */
    atomic_bool lies;           /* not a number */
    atomic_int freed;
} script;

static enum status rows(void *state, size_t worker, const struct str *texts, size_t count,
                        float *out, struct error *err)
{
    cr_assert_eq(state, &script);
    cr_assert_lt(worker, LATE_WORKERS_MAX);
    script.batches++;
    script.texts += (int)count;
    if ((int)count > script.largest)
        script.largest = (int)count;
    if (script.held) {
        sem_post(&script.begun);
        sem_wait(&script.go);
    }
    if (script.fails != OK)
        return error_set(err, script.fails, "the model is away");
    for (size_t i = 0; i < count; i++) {
        bool bad = texts[i].len && texts[i].ptr[0] == '!';
        if (bad && script.dislikes)
            return error_set(err, ERR_INPUT, "what a text");
        out[i * WIDTH] = bad && script.lies ? NAN : (float)texts[i].len;
        out[i * WIDTH + 1] = texts[i].len ? (float)texts[i].ptr[0] : 0;
    }
    return OK;
}

static void freed(void *state)
{
    cr_assert_eq(state, &script);
    script.freed++;
}

static struct encode_paid paid(void *state, size_t worker)
{
    cr_assert_eq(state, &script);
    cr_assert_lt(worker, LATE_WORKERS_MAX);
    return (struct encode_paid){7, 2};
}

static const struct late_compute compute = {
    .rows = rows, .free = freed, .state = &script, .paid = paid};

/* The thread that serves, its clock, and whoever listens there. */
static struct virtual_clock clock_;
static struct scheduler_ops ops;
static enum status (*post_there)(struct scheduler *s, void (*fn)(void *), void *arg);
static sem_t posted;
static _Atomic uint64_t reader_ms = 1000;

static enum status post(struct scheduler *s, void (*fn)(void *), void *arg)
{
    enum status status = post_there(s, fn, arg);
    sem_post(&posted);
    return status;
}

static uint64_t reader_now_ms(void)
{
    return reader_ms;
}

static struct late *late;
static const struct encoder *encoder;

struct asked {
    float work[WIDTH];
    struct encoding said;
    struct encode_task *task;
    int calls;
};
static struct asked asked[ASK_MAX];

static void set_up(void)
{
    virtual_clock_init(&clock_, 0);
    ops = *clock_.scheduler.ops;
    post_there = ops.post;
    ops.post = post;
    clock_.scheduler.ops = &ops;
    sem_init(&script.begun, 0, 0);
    sem_init(&script.go, 0, 0);
    sem_init(&posted, 0, 0);
}

static void make(struct late_options o)
{
    struct error err = {0};
    o.name = "toy";
    o.fingerprint = "toy/1";
    o.width = WIDTH;
    o.now_ms = reader_now_ms;
    cr_assert_eq(late_create(&o, &compute, &late, &err), OK, "%s", err.text);
    encoder = late_encoder(late);
    cr_assert_eq(late_of(encoder), late);
}

static void tear_down(void)
{
    late_free(late);
    cr_assert_eq(script.freed, 1);
    virtual_clock_done(&clock_);
}

TestSuite(late, .init = set_up, .fini = tear_down, .timeout = 60);

static void hear(enum status status, const struct error *err, void *arg)
{
    struct asked *a = arg;
    (void)err;
    cr_assert_eq(status, OK);
    a->calls++;
    a->task = NULL;
}

static enum status begin(size_t i, const char *text)
{
    const struct encode_listener listener = {&clock_.scheduler, hear, &asked[i]};
    struct error err = {0};
    asked[i] = (struct asked){0};
    return encoder->begin(encoder, asked[i].work, str_from(text), &asked[i].said, &listener,
                          &asked[i].task, &err);
}

static void expect_row(size_t i, const char *text)
{
    cr_assert(!asked[i].said.silent, "%zu is silent: %d", i, (int)asked[i].said.why);
    cr_assert_eq(asked[i].said.dense[0], (float)strlen(text));
    cr_assert_eq(asked[i].said.dense[1], (float)text[0]);
}

static void expect_silence(size_t i, enum encode_silence why)
{
    cr_assert(asked[i].said.silent);
    cr_assert_eq(asked[i].said.why, why);
}

static void wait_for(sem_t *s, int times)
{
    for (int i = 0; i < times; i++)
        sem_wait(s);
}

/* By a thread that must have an answer; whatever was begun before it has ended then, where there is one worker. */
static enum status block(const char *text, struct error *err)
{
    float work[WIDTH];
    struct encoding said = {0};
    enum status status = encoder->encode(encoder, work, str_from(text), &said, err);
    cr_assert(status != OK || (said.dense == work && work[0] == (float)strlen(text)));
    return status;
}

static struct late_reading reading(void)
{
    struct late_reading r;
    late_read(late, &r);
    return r;
}

Test(late, texts_gather_while_one_is_computed)
{
    script.held = true;
    make((struct late_options){0});
    cr_assert_eq(begin(0, "first"), AGAIN);
    wait_for(&script.begun, 1);
    cr_assert_eq(begin(1, "second"), AGAIN);
    cr_assert_eq(begin(2, "and third"), AGAIN);
    cr_assert_eq(begin(3, "second"), AGAIN); /* joins */
    sem_post(&script.go);
    wait_for(&posted, 1);
    virtual_clock_settle(&clock_);
    cr_assert_eq(asked[0].calls, 1);
    cr_assert_eq(asked[1].calls, 0);
    expect_row(0, "first");
    sem_post(&script.go);
    wait_for(&posted, 3);
    virtual_clock_settle(&clock_);
    expect_row(1, "second");
    expect_row(2, "and third");
    expect_row(3, "second");
    cr_assert_eq(script.batches, 2);
    cr_assert_eq(script.texts, 3);
    cr_assert_eq(reading().spoke, 4);
    cr_assert_eq(reading().texts, 3);
}

Test(late, a_text_that_comes_again_is_answered_at_once)
{
    make((struct late_options){0});
    cr_assert_eq(block("known", NULL), OK);
    cr_assert_eq(begin(0, "known"), OK);
    expect_row(0, "known");
    cr_assert_eq(asked[0].calls, 0);
    cr_assert_eq(reading().hits, 1);
    cr_assert_eq(reading().cached, 1);
    cr_assert_eq(script.batches, 1);
}

Test(late, nobody_waits_longer_than_max_wait_and_the_row_is_kept)
{
    script.held = true;
    make((struct late_options){.limits.max_wait_ms = 30});
    cr_assert_eq(begin(0, "slow"), AGAIN);
    virtual_clock_advance(&clock_, 29);
    cr_assert_eq(asked[0].calls, 0);
    virtual_clock_advance(&clock_, 1);
    cr_assert_eq(asked[0].calls, 1);
    expect_silence(0, ENCODE_LATE);
    script.held = false;
    sem_post(&script.go);
    cr_assert_eq(block("slow", NULL), OK);
    cr_assert_eq(script.texts, 1);
    cr_assert_eq(begin(1, "slow"), OK);
    expect_row(1, "slow");
    cr_assert_eq(reading().late, 1);
}

Test(late, a_full_queue_costs_nothing)
{
    script.held = true;
    make((struct late_options){.limits.queue = 2});
    cr_assert_eq(begin(0, "a"), AGAIN);
    wait_for(&script.begun, 1);
    cr_assert_eq(begin(1, "b"), AGAIN);
    cr_assert_eq(begin(2, "c"), AGAIN);
    cr_assert_eq(begin(3, "d"), OK);
    expect_silence(3, ENCODE_FULL);
    cr_assert_eq(begin(4, "c"), AGAIN); /* has its place already */
    encoder->cancel(asked[1].task);     /* nobody waits for b: it gives way */
    cr_assert_eq(begin(5, "e"), AGAIN);
    cr_assert_eq(begin(6, "f"), OK);
    expect_silence(6, ENCODE_FULL);
    script.held = false;
    sem_post(&script.go);
    wait_for(&posted, 4);
    virtual_clock_settle(&clock_);
    expect_row(2, "c");
    expect_row(4, "c");
    expect_row(5, "e");
    cr_assert_eq(script.texts, 3);
    cr_assert_eq(reading().full, 2);
}

Test(late, what_fails_again_and_again_is_left_alone)
{
    make((struct late_options){0});
    script.fails = ERR_UPSTREAM;
    for (size_t i = 0; i < LATE_FAILURES_MAX; i++) {
        cr_assert_eq(begin(i, "text"), AGAIN);
        wait_for(&posted, 1);
        virtual_clock_settle(&clock_);
        expect_silence(i, ENCODE_FAILED);
    }
    cr_assert(reading().left_alone);
    cr_assert_str_eq(reading().trouble, "the model is away");
    cr_assert_eq(begin(4, "text"), OK); /* at once: nothing is computed */
    expect_silence(4, ENCODE_FAILED);
    cr_assert_eq(script.batches, LATE_FAILURES_MAX);
    script.fails = OK;
    script.held = true;
    reader_ms += LATE_LEFT_ALONE_MS;
    cr_assert_eq(begin(5, "try"), OK); /* tries, and does not wait */
    expect_silence(5, ENCODE_FAILED);
    cr_assert_eq(begin(6, "other"), OK);
    wait_for(&script.begun, 1);
    script.held = false;
    sem_post(&script.go);
    cr_assert_eq(block("after it", NULL), OK);
    cr_assert_eq(script.texts, LATE_FAILURES_MAX + 2);
    cr_assert(!reading().left_alone);
    cr_assert_eq(begin(7, "try"), OK);
    expect_row(7, "try");
}

Test(late, a_call_that_timed_out_is_failure_enough)
{
    script.held = true;
    make((struct late_options){0});
    script.fails = ERR_TIMEOUT;
    cr_assert_eq(begin(0, "a"), AGAIN);
    wait_for(&script.begun, 1);
    cr_assert_eq(begin(1, "waits behind it"), AGAIN);
    script.held = false;
    sem_post(&script.go);
    wait_for(&posted, 2); /* both are told at once */
    virtual_clock_settle(&clock_);
    expect_silence(0, ENCODE_FAILED);
    expect_silence(1, ENCODE_FAILED);
    cr_assert_eq(script.batches, 1);
    cr_assert_eq(begin(2, "b"), OK);
    expect_silence(2, ENCODE_FAILED);
    cr_assert_eq(reading().failed, 3);
}

Test(late, nobody_waits_where_a_call_hangs)
{
    script.held = true;
    make((struct late_options){0});
    cr_assert_eq(begin(0, "a"), AGAIN);
    wait_for(&script.begun, 1);
    reader_ms += LATE_HANGS_MS;
    cr_assert_eq(begin(1, "b"), OK);
    expect_silence(1, ENCODE_LATE);
    script.held = false;
    sem_post(&script.go);
    wait_for(&posted, 1);
    virtual_clock_settle(&clock_);
    expect_row(0, "a");
    cr_assert_eq(begin(2, "b"), AGAIN);
    wait_for(&posted, 1);
    virtual_clock_settle(&clock_);
    expect_row(2, "b");
}

Test(late, who_has_left_is_told_nothing)
{
    script.held = true;
    make((struct late_options){0});
    cr_assert_eq(begin(0, "a"), AGAIN);
    cr_assert_eq(begin(1, "b"), AGAIN);
    wait_for(&script.begun, 1);
    encoder->cancel(asked[1].task); /* in line, or under way */
    script.held = false;
    sem_post(&script.go);
    wait_for(&posted, 1);
    encoder->cancel(asked[0].task); /* its message is there and not read */
    virtual_clock_settle(&clock_);
    cr_assert_eq(asked[0].calls + asked[1].calls, 0);
}

Test(late, who_must_have_an_answer_gets_the_failure)
{
    struct error err = {0};
    make((struct late_options){0});
    script.fails = ERR_UPSTREAM;
    cr_assert_eq(block("text", &err), ERR_UPSTREAM);
    cr_assert_str_eq(err.text, "the model is away");
    script.fails = OK;
    cr_assert_eq(block("text", &err), OK);
}

static bool count_progress(size_t done, void *arg)
{
    *(size_t *)arg = done;
    return done < 20;
}

Test(late, many_are_encoded_in_batches_whatever_the_queue)
{
    enum { MANY = 100 };
    static char texts[MANY][12];
    struct str list[MANY];
    float dense[MANY * WIDTH];
    size_t done = 0;
    struct error err = {0};
    make((struct late_options){.batch = 4, .workers = 2, .limits.queue = 1});
    for (size_t i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%.*s", (int)(i % 10), "123456789");
        list[i] = str_from(texts[i]);
    }
    cr_assert_eq(encoder->encode_many(encoder, list, MANY, dense, NULL, NULL, &err), OK, "%s",
                 err.text);
    for (size_t i = 0; i < MANY; i++)
        cr_assert_eq(dense[i * WIDTH], (float)(i % 10));
    cr_assert_leq(script.largest, 4);
    cr_assert_leq(script.texts, 10 + 4); /* the rest comes out of the cache, or joins */
    cr_assert_eq(encoder->encode_many(encoder, list, MANY, dense, count_progress, &done, &err),
                 ERR_CANCELLED);
    cr_assert_geq(done, 20);
    cr_assert_lt(done, MANY);
    cr_assert_eq(encoder->encode_many(encoder, list, 0, dense, NULL, NULL, &err), OK);
}

Test(late, a_text_that_is_not_liked_does_not_spoil_the_others)
{
    const struct str list[] = {STR("good"), STR("!bad"), STR("fine")};
    float dense[3 * WIDTH];
    struct error err = {0};
    script.dislikes = true;
    make((struct late_options){0});
    cr_assert_eq(encoder->encode_many(encoder, list, 3, dense, NULL, NULL, &err), ERR_INPUT);
    cr_assert_str_eq(err.text, "what a text");
    cr_assert_eq(begin(0, "good"), OK);
    expect_row(0, "good");
    cr_assert_eq(begin(1, "fine"), OK);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(block("!bad", &err), ERR_INPUT);
    cr_assert(!reading().left_alone);
}

Test(late, what_is_no_number_is_refused)
{
    struct error err = {0};
    script.lies = true;
    make((struct late_options){0});
    cr_assert_eq(block("!a", &err), ERR_UPSTREAM);
    cr_assert_str_eq(err.text, "encoder 'toy' gave something that is no number");
    cr_assert_eq(reading().cached, 0);
}

Test(late, a_smaller_cache_begins_anew)
{
    make((struct late_options){0});
    cr_assert_eq(block("a", NULL), OK);
    cr_assert_eq(late_limit(late, &(struct late_limits){.max_wait_ms = 7}, NULL), OK);
    cr_assert_eq(reading().cached, 1);
    cr_assert_eq(late_limit(late, &(struct late_limits){.cache_bytes = 4096}, NULL), OK);
    cr_assert_eq(reading().cached, 0);
    cr_assert_eq(block("a", NULL), OK);
    cr_assert_eq(script.texts, 2);
}

Test(late, a_long_text_is_cut)
{
    static char text[LATE_TEXT_BYTES_MAX + 100];
    memset(text, 'x', sizeof(text) - 1);
    float work[WIDTH];
    struct encoding said;
    make((struct late_options){0});
    cr_assert_eq(encoder->encode(encoder, work, str_from(text), &said, NULL), OK);
    cr_assert_eq(work[0], (float)LATE_TEXT_BYTES_MAX);
    cr_assert_eq(encoder->encode(encoder, work, STR(""), &said, NULL), OK);
    cr_assert_eq(work[0], 0);
}

/* Event loops of their own: each asks, hears, leaves, and comes back. */
static void *serve(void *arg)
{
    struct virtual_clock own;
    struct asked a;
    size_t id = *(size_t *)arg;
    virtual_clock_init(&own, 0);
    for (size_t i = 0; i < 400; i++) {
        char text[32];
        const struct encode_listener listener = {&own.scheduler, hear, &a};
        snprintf(text, sizeof(text), "%zu", (i * (id + 7)) % 200);
        a = (struct asked){0};
        enum status status =
            encoder->begin(encoder, a.work, str_from(text), &a.said, &listener, &a.task, NULL);
        if (status == AGAIN && i % 5 == 0)
            encoder->cancel(a.task);
        else
            while (status == AGAIN && !a.calls)
                virtual_clock_advance(&own, i % 3 ? 0 : 1000);
        if (!a.said.silent && (status == OK || a.calls))
            cr_assert_eq(a.said.dense[0], (float)strlen(text));
    }
    /* Messages to those who left are on their way at most until the last text has ended. */
    cr_assert_eq(block("the last", NULL), OK);
    virtual_clock_done(&own);
    return NULL;
}

Test(late, many_threads_share_one)
{
    pthread_t threads[4];
    size_t ids[4];
    make((struct late_options){
        .workers = 1, .batch = 3, .limits = {.cache_bytes = 8192, .queue = 3}});
    for (size_t i = 0; i < 4; i++) {
        ids[i] = i;
        cr_assert_eq(pthread_create(&threads[i], NULL, serve, &ids[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct late_reading r = reading();
    cr_assert_eq(r.asked, 1600);
    cr_assert_leq(r.hits + r.spoke + r.late + r.full + r.failed, 1600);
    cr_assert_gt(r.hits, 0);
}

static void expect_paid(size_t i, int64_t input, int64_t output)
{
    cr_assert_eq(asked[i].said.paid.input, input, "%zu: %lld", i,
                 (long long)asked[i].said.paid.input);
    cr_assert_eq(asked[i].said.paid.output, output);
}

Test(late, every_token_is_paid_once)
{
    script.held = true;
    make((struct late_options){0});
    cr_assert_eq(begin(0, "alone"), AGAIN);
    wait_for(&script.begun, 1);
    cr_assert_eq(begin(1, "one"), AGAIN);
    cr_assert_eq(begin(2, "two"), AGAIN);
    cr_assert_eq(begin(3, "two"), AGAIN); /* one of those who wait for it */
    sem_post(&script.go);
    wait_for(&script.begun, 1);
    sem_post(&script.go);
    wait_for(&posted, 4);
    virtual_clock_settle(&clock_);
    expect_paid(0, 7, 2);
    cr_assert_eq(asked[1].said.paid.input + asked[2].said.paid.input + asked[3].said.paid.input, 7);
    cr_assert_eq(asked[1].said.paid.output, 1);
    cr_assert_eq(begin(4, "one"), OK);
    expect_paid(4, 0, 0); /* it is in the cache */
    cr_assert_eq(reading().input_tokens, 14);
    cr_assert_eq(reading().output_tokens, 4);
}

Test(late, what_nobody_waited_for_is_paid_by_the_next)
{
    script.held = true;
    make((struct late_options){0});
    cr_assert_eq(begin(0, "left"), AGAIN);
    wait_for(&script.begun, 1);
    virtual_clock_advance(&clock_, LATE_MAX_WAIT_MS_USUAL);
    expect_silence(0, ENCODE_LATE);
    expect_paid(0, 0, 0);
    cr_assert_eq(begin(1, "called off"), AGAIN);
    sem_post(&script.go);
    wait_for(&script.begun, 1);
    sem_post(&script.go);
    wait_for(&posted, 1); /* its answer is under way */
    encoder->cancel(asked[1].task);
    virtual_clock_settle(&clock_);
    cr_assert_eq(begin(2, "heard"), AGAIN);
    wait_for(&script.begun, 1);
    sem_post(&script.go);
    wait_for(&posted, 1);
    virtual_clock_settle(&clock_);
    expect_paid(2, 21, 6);
}
