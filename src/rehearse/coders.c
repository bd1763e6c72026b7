/* The coders of the sandbox: which there are, how good they are, and which program they give: see coders.h.
 *
 * What makes a question hard is partly the same for all: of a share of the questions, CODER_COMMON, one draw decides
 * for every coder, because real models fail together, too. Pure functions; any thread. */
#include "rehearse/coders.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/rng.h"

#define CODER_COMMON         0.25 /* of all draws are common to the coders */
#define ENDLESS              0.04 /* of all mistakes */
#define CHARACTERS_PER_TOKEN 4
#define COMMON_SEED          0x636f6d6d6f6eu

static const struct coder CODERS[CODER_COUNT] = {
    {"sprout",
     "short tasks, mostly",
     "",
     "",
     {.input_nano_usd_per_m = 50000000, .output_nano_usd_per_m = 200000000},
     {.86f, .55f, .25f}},
    {"clerk",
     "loops and strings, often",
     "Here is the program:\n\n",
     "",
     {.input_nano_usd_per_m = 200000000, .output_nano_usd_per_m = 800000000},
     {.92f, .76f, .48f}},
    {"smith",
     "nearly everything, with slips",
     "This reads the input line by line and keeps only what it needs.\n\n",
     "\nIt runs under any POSIX awk.\n",
     {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 4000000000},
     {.96f, .90f, .76f}},
    {"master",
     "everything, at a price",
     "Let me think about the edge cases first: an empty input, one line alone, equal keys, and "
     "what "
     "the last line needs. The tests show the format of the output.\n\n",
     "\nI have gone through the tests by hand, and through an empty input. It runs under any POSIX "
     "awk.\n",
     {.input_nano_usd_per_m = 5000000000, .output_nano_usd_per_m = 20000000000},
     {.985f, .95f, .88f}},
};

const struct coder *coder_at(size_t index)
{
    CHECK(index < CODER_COUNT);
    return &CODERS[index];
}

static size_t count_coders(const void *self)
{
    (void)self;
    return CODER_COUNT;
}

static struct str name_coder(const void *self, size_t coder)
{
    (void)self;
    return str_from(coder_at(coder)->name);
}

/* How lucky one has to be with this question, 0..1, and which mistake it is otherwise. */
static double draw(uint64_t seed, struct str question, const struct coder *c, struct rng *own)
{
    struct rng common;
    const uint64_t text = hash64(question, seed);
    rng_seed(&common, hash64_mix(text, COMMON_SEED));
    rng_seed(own, hash64_mix(text, hash64(str_from(c->name), seed)));
    const bool shared = rng_uniform(&common) < CODER_COMMON;
    return shared ? rng_uniform(&common) : rng_uniform(own);
}

static const char *choose(uint64_t seed, struct str question, const struct coder *c,
                          const struct program_family *f)
{
    struct rng rng;
    if (draw(seed, question, c, &rng) < (double)c->right[f->level - 1])
        return f->reference;
    if (rng_uniform(&rng) < ENDLESS)
        return f->endless;
    return f->bugs[rng_below(&rng, program_bug_count(f))];
}

static void say(const struct coder *c, const struct program_ask *ask, const char *program,
                struct buf *out)
{
    buf_add_c(out, c->opening);
    buf_add_c(out, "```awk\n");
    program_write(ask, program, out);
    buf_add_c(out, "\n```\n");
    buf_add_c(out, c->ending);
}

static int64_t tokens_of(size_t bytes)
{
    return (int64_t)((bytes + CHARACTERS_PER_TOKEN - 1) / CHARACTERS_PER_TOKEN);
}

static enum status answer(const void *self, size_t coder, struct str prompt, struct arena *a,
                          struct rehearse_answer *ret, struct error *err)
{
    const struct coders *coders = self;
    const struct coder *c = coder_at(coder);
    const struct str question = str_trim(prompt);
    struct program_ask ask;
    struct buf out;
    buf_init(&out, PROGRAM_BYTES_MAX);
    if (program_read(question, &ask))
        say(c, &ask, choose(coders->seed, question, c, ask.family), &out);
    else
        buf_addf(&out, "I am a sandbox coder (%s) and do not know this task.\n", c->summary);
    const struct str text = arena_copy(a, buf_str(&out));
    const enum status status = buf_status(&out, err);
    buf_done(&out);
    if (status != OK)
        return status;
    if (!text.ptr)
        return error_set(err, ERR_MEMORY, "out of memory for an answer");
    *ret = (struct rehearse_answer){text, tokens_of(prompt.len), tokens_of(text.len)};
    return OK;
}

struct rehearse_source coders_source(const struct coders *c)
{
    static const struct rehearse_source_ops ops = {count_coders, name_coder, answer};
    return (struct rehearse_source){&ops, c};
}
