/* Opinions of a model in this process: see opinion_gguf.h. One worker computes; its state has two sequences that hold
 * the heads of the two prompts, and two for each text of a batch, which begin as copies of these. A prompt's own parts
 * become tokens once, by the model's chat template; a question becomes tokens apart, so that nothing in it is taken for
 * a mark of the template. Between two calls only the heads are left in memory. */
#include "reader/opinion_gguf.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/digest.h"
#include "lm/lm_chat.h"
#include "lm/lm_state.h"
#include "opinion/opinion_said.h"

#define LETTERS           26
#define COMPUTED_AT_ONCE  512 /* tokens */
#define FINGERPRINT_BYTES (OPINION_HEAD_BYTES_MAX + 4096)

/* What a question stands between. */
struct frame {
    int32_t *tokens; /* malloced; the tail lies behind the head */
    size_t head, tail;
};

struct opinion_gguf {
    struct lm *lm;
    struct lm_state *state;
    struct frame asks, chooses; /* whom to ask; what is right */
    size_t labels, tokens_max, batch;
    bool choices;
    int label_tokens[OPINION_EXPERTS_MAX], letter_tokens[LETTERS];
    int32_t *inputs;             /* [2 × batch × tokens of a question and a tail] */
    struct lm_input *input_list; /* [2 × batch] */
    size_t input_room;           /* tokens of one */
    char fingerprint[DIGEST_HEX_BYTES];
};

static void state_free(void *of)
{
    struct opinion_gguf *g = of;
    if (!g)
        return;
    lm_state_free(g->state);
    lm_release(g->lm);
    free(g->asks.tokens);
    free(g->chooses.tokens);
    free(g->inputs);
    free(g->input_list);
    free(g);
}

/* Prompts */

static bool is_plain(const struct opinion_gguf_options *o, const struct lm *lm)
{
    if (o->chat_template)
        return !strcmp(o->chat_template, "plain");
    return !lm_info(lm)->chat_template;
}

/* A token is a byte at least; but of a blank, which some vocabularies spell as three bytes. */
static size_t tokens_of_bytes(size_t bytes)
{
    return 3 * bytes + 8;
}

static enum status plain_frame(const struct lm *lm, struct str head, struct str tail,
                               struct frame *f, struct error *err)
{
    size_t room = tokens_of_bytes(head.len + tail.len);
    f->tokens = malloc(room * sizeof(*f->tokens));
    if (!f->tokens)
        return error_set(err, ERR_MEMORY, "out of memory");
    f->head = lm_tokenize(lm, head, true, f->tokens, room);
    CHECK(f->head <= room);
    f->tail = lm_tokenize(lm, tail, false, f->tokens + f->head, room - f->head);
    CHECK(f->head + f->tail <= room);
    return OK;
}

static enum status chat_tokens(const struct lm *lm, const char *chat_template, struct str head,
                               const char *question, struct str tail, int32_t **ret, size_t *count,
                               struct error *err)
{
    struct buf content;
    buf_init(&content, 2 * OPINION_HEAD_BYTES_MAX);
    buf_add(&content, head);
    buf_add_c(&content, question);
    buf_add(&content, tail);
    enum status status = buf_status(&content, err);
    if (status == OK) {
        const struct lm_chat_message user = {"user", content.ptr};
        status = lm_chat_tokens(lm, chat_template, &user, 1, ret, count, err);
    }
    buf_done(&content);
    return status;
}

/* What two prompts with other questions have in common before and behind these. */
static enum status chat_frame(const struct lm *lm, const char *chat_template, struct str head,
                              struct str tail, struct frame *f, struct error *err)
{
    int32_t *other = NULL;
    size_t count = 0, others = 0, same = 0;
    enum status status = chat_tokens(lm, chat_template, head, "Q", tail, &f->tokens, &count, err);
    if (status == OK)
        status = chat_tokens(lm, chat_template, head, "7", tail, &other, &others, err);
    if (status == OK && (count != others || count == 0))
        status = error_set(err, ERR_UNSUPPORTED, "its chat template changes what is asked");
    while (status == OK && same < count && f->tokens[same] == other[same])
        same++;
    f->head = same;
    for (same = 0; status == OK && same < count - f->head &&
                   f->tokens[count - 1 - same] == other[count - 1 - same];)
        same++;
    f->tail = same;
    if (status == OK && f->head + f->tail >= count)
        status = error_set(err, ERR_UNSUPPORTED, "its chat template leaves out what is asked");
    if (status == OK)
        memmove(f->tokens + f->head, f->tokens + count - f->tail, f->tail * sizeof(*f->tokens));
    free(other);
    return status;
}

static enum status find_letter(const struct lm *lm, char letter, bool plain, int *ret,
                               struct error *err)
{
    const char text[] = {' ', letter};
    int32_t tokens[4];
    struct str alone = {text + 1, 1}, spaced = {text, 2};
    size_t count = lm_tokenize(lm, plain ? spaced : alone, false, tokens, 4);
    if (count != 1)
        count = lm_tokenize(lm, plain ? alone : spaced, false, tokens, 4);
    if (count != 1)
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: its vocabulary has no token for the letter %c, so it cannot name an "
                         "expert by one",
                         lm_info(lm)->path, letter);
    *ret = tokens[0];
    return OK;
}

static enum status make_frames(struct opinion_gguf *g, const struct opinion_gguf_options *o,
                               struct error *err)
{
    bool plain = is_plain(o, g->lm);
    const char *t = o->chat_template ? o->chat_template : lm_info(g->lm)->chat_template;
    if (!plain && !lm_chat_knows(t))
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: its chat template is not known; name one by `chat_template`, such as "
                         "chatml or llama3, or plain for none",
                         o->path);
    enum status status = plain ? plain_frame(g->lm, o->head, opinion_tail, &g->asks, err)
                               : chat_frame(g->lm, t, o->head, opinion_tail, &g->asks, err);
    if (status == OK)
        status =
            plain ? plain_frame(g->lm, opinion_choices_head, opinion_choices_tail, &g->chooses, err)
                  : chat_frame(g->lm, t, opinion_choices_head, opinion_choices_tail, &g->chooses,
                               err);
    for (size_t e = 0; e < g->labels && status == OK; e++)
        status = find_letter(g->lm, opinion_label(g->labels, e), plain, &g->label_tokens[e], err);
    for (size_t i = 0; i < LETTERS && status == OK; i++)
        status = find_letter(g->lm, (char)('A' + i), plain, &g->letter_tokens[i], err);
    return status;
}

/* Everything that another answer may come of. */
static enum status find_fingerprint(struct opinion_gguf *g, const struct opinion_gguf_options *o,
                                    struct error *err)
{
    struct digest digest;
    struct buf b;
    buf_init(&b, FINGERPRINT_BYTES);
    buf_addf(&b, "opinion %s %zu %zu %d %s\n", lm_info(g->lm)->fingerprint, g->labels,
             g->tokens_max, g->choices, o->chat_template ? o->chat_template : "");
    const struct str parts[] = {o->head, opinion_tail, opinion_choices_head, opinion_choices_tail};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        buf_add(&b, parts[i]);
        buf_add_char(&b, '\0');
    }
    enum status status = buf_status(&b, err);
    if (status == OK)
        status = digest_sha256(buf_str(&b), &digest, err);
    buf_done(&b);
    if (status == OK)
        digest_hex(&digest, g->fingerprint);
    return status;
}

/* Rooms */

static size_t longest(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* One piece: the sizes of all rooms follow from each other. */
static enum status make_rooms(struct opinion_gguf *g, const struct opinion_gguf_options *o,
                              struct error *err)
{
    size_t tail = longest(g->asks.tail, g->chooses.tail), sequences = 2 + 2 * g->batch;
    size_t around = longest(g->asks.head + g->asks.tail, g->chooses.head + g->chooses.tail);
    size_t trained = lm_info(g->lm)->context;
    if (around + OPINION_TOKENS_MIN > trained)
        return error_set(err, ERR_CONTEXT,
                         "%s: the list of experts takes %zu tokens of the %zu that it was trained "
                         "with; name fewer experts",
                         o->path, around, trained);
    if (g->tokens_max > trained - around)
        g->tokens_max = trained - around;
    g->input_room = g->tokens_max + tail;
    struct lm_state_options options = {.sequences = sequences,
                                       .context = around + g->tokens_max,
                                       .batch = COMPUTED_AT_ONCE,
                                       .threads = o->threads,
                                       .shared = true,
                                       .tokens = g->asks.head + g->chooses.head +
                                                 2 * g->batch * g->input_room};
    g->inputs = calloc(2 * g->batch * g->input_room, sizeof(*g->inputs));
    g->input_list = calloc(2 * g->batch, sizeof(*g->input_list));
    if (!g->inputs || !g->input_list)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = lm_state_create(g->lm, &options, &g->state, err);
    const struct lm_input heads[] = {{0, g->asks.tokens, g->asks.head, LM_WANT_NOTHING},
                                     {1, g->chooses.tokens, g->chooses.head, LM_WANT_NOTHING}};
    return status == OK ? lm_state_read(g->state, heads, 2, err) : status;
}

/* Reading */

/* The question's tokens and the frame's tail; what is too long loses its middle. Returns how many the question has. */
static size_t fill_input(const struct opinion_gguf *g, const int32_t *question, size_t count,
                         const struct frame *f, size_t sequence, enum lm_want want,
                         struct lm_input *input, int32_t *room)
{
    size_t first = count, last = 0;
    if (count > g->tokens_max) {
        first = g->tokens_max - g->tokens_max / 2;
        last = g->tokens_max / 2;
    }
    memcpy(room, question, first * sizeof(*room));
    memcpy(room + first, question + count - last, last * sizeof(*room));
    memcpy(room + first + last, f->tokens + f->head, f->tail * sizeof(*room));
    *input = (struct lm_input){sequence, room, first + last + f->tail, want};
    return first + last;
}

static float surprise(const float *logprobs, size_t tokens)
{
    double sum = 0;
    for (size_t i = 1; i < tokens; i++) /* nothing is known of the first */
        sum -= (double)logprobs[i];
    return tokens > 1 ? (float)(sum / (double)(tokens - 1)) : 0;
}

struct asked {
    size_t tokens, choices; /* of the question; choices 0: not asked for the answer itself */
    size_t input, chooses;  /* places in the list of inputs */
};

static void fill_row(const struct opinion_gguf *g, const struct asked *a, float *row)
{
    float *certainty = row + g->labels, choices[LETTERS];
    memset(certainty, 0, OPINION_CERTAINTIES * sizeof(*certainty));
    opinion_of_logits(lm_state_logits_last(g->state, a->input), lm_info(g->lm)->vocabulary,
                      g->label_tokens, g->labels, row, &certainty[OPINION_ENTROPY],
                      &certainty[OPINION_MASS]);
    certainty[OPINION_SURPRISE] = surprise(lm_state_logprobs(g->state, a->input), a->tokens);
    if (!a->choices)
        return;
    certainty[OPINION_HAS_CHOICES] = 1;
    opinion_of_logits(lm_state_logits_last(g->state, a->chooses), lm_info(g->lm)->vocabulary,
                      g->letter_tokens, a->choices, choices, &certainty[OPINION_CHOICE_ENTROPY],
                      &certainty[OPINION_CHOICE_MASS]);
    certainty[OPINION_CHOICE_TOP] = choices[0];
    for (size_t i = 1; i < a->choices; i++)
        if (choices[i] > certainty[OPINION_CHOICE_TOP])
            certainty[OPINION_CHOICE_TOP] = choices[i];
}

/* Adds a text to the list of inputs. ERR_MEMORY. */
static enum status add_text(struct opinion_gguf *g, struct str text, size_t *inputs,
                            struct asked *a, struct error *err)
{
    size_t room = tokens_of_bytes(text.len);
    int32_t *question = malloc(room * sizeof(*question));
    if (!question)
        return error_set(err, ERR_MEMORY, "out of memory");
    size_t count = lm_tokenize(g->lm, text, false, question, room);
    CHECK(count <= room);
    a->choices = g->choices ? opinion_choices(text.ptr, text.len) : 0;
    a->input = *inputs;
    lm_state_copy(g->state, 0, 2 + *inputs);
    a->tokens = fill_input(g, question, count, &g->asks, 2 + *inputs, LM_WANT_LOGPROBS,
                           &g->input_list[*inputs], g->inputs + *inputs * g->input_room);
    ++*inputs;
    if (a->choices) {
        a->chooses = *inputs;
        lm_state_copy(g->state, 1, 2 + *inputs);
        fill_input(g, question, count, &g->chooses, 2 + *inputs, LM_WANT_LAST,
                   &g->input_list[*inputs], g->inputs + *inputs * g->input_room);
        ++*inputs;
    }
    free(question);
    return OK;
}

static enum status rows(void *of, size_t worker, const struct str *texts, size_t count, float *rows,
                        struct error *err)
{
    struct opinion_gguf *g = of;
    struct asked asked[LATE_BATCH_MAX];
    size_t inputs = 0, width = opinion_width(g->labels);
    enum status status = OK;
    (void)worker;
    CHECK(count <= g->batch);
    for (size_t i = 0; i < count && status == OK; i++)
        status = add_text(g, texts[i], &inputs, &asked[i], err);
    if (status == OK)
        status = lm_state_read(g->state, g->input_list, inputs, err);
    for (size_t i = 0; i < count && status == OK; i++)
        fill_row(g, &asked[i], rows + i * width);
    for (size_t i = 0; i < inputs; i++)
        lm_state_clear(g->state, 2 + i);
    return status;
}

static enum status set_up(struct opinion_gguf *g, const struct opinion_gguf_options *o,
                          struct error *err)
{
    const struct lm_options loading = {
        .loras = o->loras, .lora_count = o->lora_count, .gpu_layers = (int)o->gpu_layers};
    g->labels = o->labels;
    g->choices = !o->without_choices;
    g->tokens_max = o->tokens_max ? o->tokens_max : OPINION_TOKENS_USUAL;
    g->batch = o->batch ? o->batch : OPINION_BATCH_USUAL;
    enum status status = lm_share(o->path, &loading, &g->lm, err);
    if (status == OK)
        status = make_frames(g, o, err);
    if (status == OK)
        status = make_rooms(g, o, err);
    return status == OK ? find_fingerprint(g, o, err) : status;
}

enum status opinion_gguf_open(const struct opinion_gguf_options *o, struct late **ret,
                              struct error *err)
{
    CHECK(o->labels > 0 && o->labels <= OPINION_EXPERTS_MAX && o->batch <= LATE_BATCH_MAX);
    struct opinion_gguf *g = calloc(1, sizeof(*g));
    enum status status = g ? set_up(g, o, err) : error_set(err, ERR_MEMORY, "out of memory");
    if (status != OK) {
        state_free(g);
        return status;
    }
    const struct late_options options = {.name = o->name,
                                         .fingerprint = g->fingerprint,
                                         .spec = o->spec,
                                         .width = opinion_width(o->labels),
                                         .batch = g->batch,
                                         .workers = 1,
                                         .limits = o->limits};
    const struct late_compute compute = {.rows = rows, .free = state_free, .state = g};
    return late_create(&options, &compute, ret, err);
}
