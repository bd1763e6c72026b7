/* One step of a model that answers several at once. Each busy slot has tokens that it is to read: the rest of its
 * prompt, of which a piece goes into the batch, or the one token that was chosen last. Behind the last of them the
 * model says what it expects; a token is chosen, its bytes go to the answer, and it is what the slot reads next.
 * What a slot has read stays in its sequence when its answer is over, for the conversation that goes on. All of it
 * on the engine's thread. */
#include "infer/infer_slot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "dialect/overflow.h"

#define PIECE_ALONE   256 /* tokens of prompts in one step, where nobody waits for a token */
#define PIECE_BESIDE  64  /* and where somebody does */
#define TOKEN_BYTES   512
#define MARK_TOKENS   64
#define MESSAGE_BYTES 1024

bool infer_slot_is_free(const struct infer_slot *s)
{
    return !s->call;
}

bool infer_slot_goes_on(const struct infer_slot *s)
{
    return s->call && (!atomic_load(&s->call->paused) || atomic_load(&s->call->gone));
}

/* Ends */

static void leave(struct infer_slot *s)
{
    infer_answer_done(&s->answer);
    lm_sampler_free(s->sampler);
    free(s->next);
    infer_call_release(s->call);
    s->call = NULL;
    s->sampler = NULL;
    s->next = NULL;
    s->next_count = s->next_at = 0;
}

static void fail(struct infer_slot *s, enum status status, const char *message)
{
    infer_tell_error(s->call, status, message, NULL);
    leave(s);
}

/* What has been written goes to whoever asked. A stream's head goes with its first chunk, that of a whole answer
 * with all of it, so that what fails on the way can still say so. */
static void send(struct infer_slot *s, bool end)
{
    struct buf *out = &s->answer.out;
    struct error err;
    if (buf_status(out, &err) != OK) {
        fail(s, err.status, err.text);
        return;
    }
    if (out->len > 0)
        infer_tell(s->call, 200, buf_str(out), end);
    buf_clear(out);
    if (end)
        leave(s);
}

static void finish(struct infer_slot *s, enum infer_finish why)
{
    infer_answer_end(&s->answer, why, s->usage);
    send(s, true);
}

void infer_slots_clear(struct infer_desk *d)
{
    for (size_t i = 0; i < d->slot_count; i++)
        if (d->slots[i].call && atomic_load(&d->slots[i].call->gone))
            leave(&d->slots[i]);
}

void infer_slots_fail(struct infer_desk *d, const char *why)
{
    for (size_t i = 0; i < d->slot_count; i++)
        if (d->slots[i].call)
            fail(&d->slots[i], ERR_UPSTREAM, why);
}

/* Beginnings */

static size_t in_common(const struct infer_slot *s, const int32_t *tokens, size_t count)
{
    size_t most = s->read_count < count ? s->read_count : count, n = 0;
    while (n < most && s->read[n] == tokens[n])
        n++;
    return n;
}

/* Of free slots that which has read most of it; of several the one that was used longest ago. */
static size_t best_slot(const struct infer_desk *d, const int32_t *tokens, size_t count,
                        size_t *ret_common)
{
    size_t best = SIZE_MAX, most = 0;
    for (size_t i = 0; i < d->slot_count; i++) {
        const struct infer_slot *s = &d->slots[i];
        if (s->call)
            continue;
        size_t common = in_common(s, tokens, count);
        if (best == SIZE_MAX || common > most ||
            (common == most && s->used < d->slots[best].used)) {
            best = i;
            most = common;
        }
    }
    CHECK(best != SIZE_MAX);
    *ret_common = most;
    return best;
}

/* The sequence keeps the first tokens of what it holds; a model that cannot forget a part forgets all. */
static size_t keep(struct infer_desk *d, size_t slot, size_t count)
{
    struct error ignored;
    if (lm_state_cut(d->state, slot, count, &ignored) != OK) {
        lm_state_clear(d->state, slot);
        count = 0;
    }
    d->slots[slot].read_count = count;
    return count;
}

static enum status check_room(const struct infer_desk *d, size_t tokens, struct error *err)
{
    size_t room = lm_state_context(d->state);
    struct buf words;
    if (tokens < room)
        return OK;
    buf_init(&words, MESSAGE_BYTES);
    overflow_write_chat(&(struct overflow){(int64_t)tokens, (int64_t)room}, &words);
    error_set(err, ERR_CONTEXT, "%.*s", STR_FMT(buf_str(&words)));
    buf_done(&words);
    return ERR_CONTEXT;
}

static enum status make_sampler(const struct infer_desk *d, const struct infer_request *r,
                                struct lm_sampler **ret, struct error *err)
{
    struct lm_sampler *s = NULL;
    enum status status = lm_sampler_create(d->lm, &r->sampling, &s, err);
    if (status == OK && r->grammar)
        status = lm_sampler_constrain(s, r->grammar, err);
    if (status != OK) {
        lm_sampler_free(s);
        return status;
    }
    *ret = s;
    return OK;
}

static enum status name_answer(struct infer_answer *a, struct error *err)
{
    uint64_t bits = 0;
    enum status status = digest_random(&bits, sizeof(bits), err);
    snprintf(a->id, sizeof(a->id), "chatcmpl-%016llx", (unsigned long long)bits);
    a->created_s = clock_wall_ms() / 1000;
    return status;
}

/* One piece: tokens, sampler and name may each fail, and only then is a slot taken. */
static enum status begin(struct infer_desk *d, struct infer_call *c, struct error *err)
{
    struct infer_answer answer = {.request = &c->request, .fingerprint = d->fingerprint};
    struct lm_sampler *sampler = NULL;
    int32_t *tokens = NULL;
    size_t count = 0, common = 0;
    enum status status = lm_chat_tokens(d->lm, d->chat_template, c->request.messages,
                                        c->request.message_count, &tokens, &count, err);
    if (status == OK)
        status = check_room(d, count, err);
    if (status == OK)
        status = name_answer(&answer, err);
    if (status == OK)
        status = make_sampler(d, &c->request, &sampler, err);
    if (status != OK) {
        free(tokens);
        return status;
    }
    size_t at = best_slot(d, tokens, count, &common);
    struct infer_slot *s = &d->slots[at];
    common = keep(d, at, common < count ? common : count - 1);
    s->call = c;
    s->answer = answer;
    s->sampler = sampler;
    s->next = tokens;
    s->next_count = count;
    s->next_at = common;
    s->usage = (struct infer_usage){.prompt_tokens = count, .cached_tokens = common};
    s->used = ++d->calls;
    s->constrained = c->request.grammar != NULL;
    s->reads_prompt = true;
    infer_answer_init(&s->answer);
    atomic_store(&c->taken, true);
    return OK;
}

void infer_slot_take(struct infer_desk *d, struct infer_call *c)
{
    struct error err;
    enum status status = OK;
    if (!atomic_load(&c->gone))
        status = begin(d, c, &err);
    else
        infer_call_release(c);
    if (status == OK)
        return;
    infer_tell_error(c, status, err.text, NULL);
    infer_call_release(c);
}

/* Tokens */

/* The model has begun to call a tool: from here on it keeps to the tools' grammar. Bytes that came with the mark's
 * last token are as if they had not been written, and the mark's own are read as tokens of their own. */
static enum status constrain(struct infer_desk *d, struct infer_slot *s, struct str bytes,
                             size_t behind, struct error *err)
{
    s->constrained = true;
    enum status status = lm_sampler_constrain(s->sampler, s->call->request.calls_grammar, err);
    if (status != OK || behind == 0)
        return status;
    int32_t tokens[MARK_TOKENS];
    size_t n =
        lm_tokenize(d->lm, str_slice(bytes, 0, bytes.len - behind), false, tokens, MARK_TOKENS);
    if (n == 0 || n > MARK_TOKENS)
        return error_set(err, ERR_UPSTREAM, "the mark of a call has no tokens");
    int32_t *more = realloc(s->next, n * sizeof(*more));
    if (!more)
        return error_set(err, ERR_MEMORY, "out of memory for an answer");
    memcpy(more, tokens, n * sizeof(*more));
    s->next = more;
    s->next_count = n;
    return OK;
}

/* Marks of a vocabulary are no text, but for those of calls, which some have as marks. */
static struct str bytes_of(const struct infer_desk *d, int32_t token, char into[TOKEN_BYTES])
{
    size_t n = lm_token_bytes(d->lm, token, false, into, TOKEN_BYTES);
    struct str text = {into, n};
    if (n > 0)
        return text;
    text.len = lm_token_bytes(d->lm, token, true, into, TOKEN_BYTES);
    if (!str_equal(text, STR(INFER_CALL_BEGIN)) && !str_equal(text, STR(INFER_CALL_END)))
        text.len = 0;
    return text;
}

static void write_entry(const struct infer_desk *d, const struct infer_slot *s, const float *logits,
                        int32_t token, struct buf *out)
{
    struct lm_likely of = {.token = token}, top[LM_SAMPLER_LIKELIEST_MAX];
    if (!s->call->request.logprobs)
        return;
    size_t n =
        lm_likeliest(logits, lm_info(d->lm)->vocabulary, &of, top, s->call->request.top_logprobs);
    infer_entry_write(d->lm, &of, top, n, out);
}

/* One piece: a token is chosen, and ends the answer for one of four reasons or is what the slot reads next. */
static void choose(struct infer_desk *d, size_t at, const float *logits)
{
    struct infer_slot *s = &d->slots[at];
    const struct infer_request *r = &s->call->request;
    char text[TOKEN_BYTES];
    struct error err;
    struct buf entry;
    int32_t token = 0;
    size_t behind = 0;
    enum status status = lm_sampler_pick(s->sampler, logits, &token, &err);
    if (status != OK) {
        fail(s, status, err.text);
        return;
    }
    if (lm_token_ends(d->lm, token)) {
        finish(s, INFER_STOP);
        return;
    }
    s->usage.completion_tokens++;
    s->next[0] = token;
    s->next_count = 1;
    s->next_at = 0;
    struct str bytes = bytes_of(d, token, text);
    buf_init(&entry, INFER_ANSWER_BYTES_MAX);
    write_entry(d, s, logits, token, &entry);
    bool stopped = infer_answer_add(&s->answer, bytes, buf_str(&entry));
    buf_done(&entry);
    if (!stopped && r->calls_grammar && !s->constrained && infer_answer_calls(&s->answer, &behind))
        status = constrain(d, s, bytes, behind, &err);
    bool full = s->read_count + s->next_count >= lm_state_context(d->state);
    if (status != OK)
        fail(s, status, err.text);
    else if (stopped)
        finish(s, INFER_STOP);
    else if (full || (r->tokens_max > 0 && (int64_t)s->usage.completion_tokens >= r->tokens_max))
        finish(s, INFER_LENGTH);
    else
        send(s, false);
}

/* Steps */

/* What of each slot goes into the batch; inputs[slot_count], which[slot_count]. */
static size_t gather(struct infer_desk *d, struct lm_input *inputs, size_t *which)
{
    size_t count = 0, piece = PIECE_ALONE;
    for (size_t i = 0; i < d->slot_count; i++)
        if (infer_slot_goes_on(&d->slots[i]) && !d->slots[i].reads_prompt)
            piece = PIECE_BESIDE;
    for (size_t i = 0; i < d->slot_count; i++) {
        struct infer_slot *s = &d->slots[i];
        size_t n = s->next_count - s->next_at;
        if (!infer_slot_goes_on(s))
            continue;
        bool all = !s->reads_prompt || n <= piece;
        if (s->reads_prompt) {
            n = all ? n : piece;
            piece -= n;
        }
        if (n == 0)
            continue;
        inputs[count] = (struct lm_input){.sequence = i,
                                          .tokens = s->next + s->next_at,
                                          .count = n,
                                          .want = all ? LM_WANT_LAST : LM_WANT_NOTHING};
        which[count++] = i;
    }
    return count;
}

static void note_read(struct infer_slot *s, const struct lm_input *in)
{
    memcpy(s->read + s->read_count, in->tokens, in->count * sizeof(*in->tokens));
    s->read_count += in->count;
    s->next_at += in->count;
}

static void go_on(struct infer_desk *d, size_t at, const float *logits)
{
    struct infer_slot *s = &d->slots[at];
    if (s->next_at < s->next_count)
        return;
    if (s->reads_prompt)
        infer_answer_begin(&s->answer);
    s->reads_prompt = false;
    if (logits)
        choose(d, at, logits);
    else
        fail(s, ERR_UPSTREAM, "the model said nothing");
}

void infer_slots_step(struct infer_desk *d)
{
    struct lm_input inputs[INFER_SLOTS_MAX];
    size_t which[INFER_SLOTS_MAX];
    struct error err;
    size_t count = gather(d, inputs, which);
    if (count == 0)
        return;
    enum status status = lm_state_read(d->state, inputs, count, &err);
    for (size_t i = 0; i < count; i++) {
        struct infer_slot *s = &d->slots[which[i]];
        if (status != OK) {
            fail(s, ERR_UPSTREAM, err.text);
            keep(d, which[i], 0);
            continue;
        }
        note_read(s, &inputs[i]);
        go_on(d, which[i], lm_state_logits_last(d->state, i));
    }
}
