/* Opinions of a tiny model with random weights: what the encoder says in batches, from copies of the heads, is what one
 * reading of each whole prompt says. */
#include "reader/opinion_gguf.h"

#include <criterion/criterion.h>
#include <math.h>
#include <unistd.h>

#include "../lm/tiny_gguf.h"
#include "lm/lm_chat.h"
#include "lm/lm_state.h"
#include "opinion/opinion_said.h"

#define HEAD "Whom?\nY: a\nZ: b\n\nQuestion:\n"
#define N    2

static char path[64];
static struct opinion_gguf_options options;

static void setup(void)
{
    if (!lm_is_built())
        cr_skip_test("no llama.cpp");
    snprintf(path, sizeof(path), "/tmp/leeroo_opinion_%d.gguf", (int)getpid());
    tiny_gguf_write(path, TINY_LLAMA, 3);
    options = (struct opinion_gguf_options){.name = "opinion",
                                            .head = STR(HEAD),
                                            .labels = N,
                                            .path = path,
                                            .tokens_max = 100,
                                            .spec = "{}"};
}

static void teardown(void)
{
    unlink(path);
}

TestSuite(opinion_gguf, .init = setup, .fini = teardown);

static struct late *opened(void)
{
    struct late *l = NULL;
    struct error err;
    cr_assert_eq(opinion_gguf_open(&options, &l, &err), OK, "%s", err.text);
    return l;
}

static void say(struct late *l, const struct str *texts, size_t count, float *out)
{
    const struct encoder *e = late_encoder(l);
    struct error err;
    cr_assert_eq(e->dense_count, opinion_width(N));
    cr_assert_eq(e->encode_many(e, texts, count, out, NULL, NULL, &err), OK, "%s", err.text);
}

/* Logits behind a prompt that is read at once; logprobs of its tokens from `from` on. */
static void read_whole(const char *head, const char *question, const char *tail, float *logits,
                       double *surprise)
{
    struct lm *lm;
    struct lm_state *s;
    struct error err;
    char content[2048];
    int32_t *tokens, own[512];
    size_t count;
    cr_assert_eq(lm_load(path, NULL, &lm, &err), OK, "%s", err.text);
    snprintf(content, sizeof(content), "%s%s%s", head, question, tail);
    const struct lm_chat_message user = {"user", content};
    cr_assert_eq(lm_chat_tokens(lm, lm_info(lm)->chat_template, &user, 1, &tokens, &count, &err),
                 OK);
    const struct lm_state_options o = {.sequences = 1};
    cr_assert_eq(lm_state_create(lm, &o, &s, &err), OK, "%s", err.text);
    const struct lm_input in = {0, tokens, count, LM_WANT_LOGPROBS};
    cr_assert_eq(lm_state_read(s, &in, 1, &err), OK, "%s", err.text);
    memcpy(logits, lm_state_logits_last(s, 0), TINY_VOCAB * sizeof(*logits));
    size_t asked = lm_tokenize(lm, str_from(question), false, own, 512), from = 0;
    while (memcmp(tokens + from, own, asked * sizeof(*own)) != 0)
        cr_assert(++from + asked <= count);
    *surprise = 0;
    for (size_t i = 1; i < asked; i++)
        *surprise -= (double)lm_state_logprobs(s, 0)[from + i] / (double)(asked - 1);
    lm_state_free(s);
    lm_free(lm);
    free(tokens);
}

static double log_sum(const float *logits, const int *of, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += exp((double)logits[of ? of[i] : (int)i]);
    return log(sum);
}

/* Keys and values are kept in 16 bits, so that the order of computing shows; a token too few changes all. */
#define NEAR(a, b)                                                                                 \
    cr_assert_float_eq((double)(a), (double)(b), 3e-2, "%g %g", (double)(a), (double)(b))

static void check_row(const char *question, size_t choices, const float *row)
{
    float logits[TINY_VOCAB];
    double surprise, entropy = 0, top = -1e9;
    const int labels[] = {TINY_BYTES_FIRST + 'Y', TINY_BYTES_FIRST + 'Z'};
    read_whole(HEAD, question, opinion_tail.ptr, logits, &surprise);
    double all = log_sum(logits, NULL, TINY_VOCAB), mine = log_sum(logits, labels, N);
    for (size_t i = 0; i < N; i++) {
        double p = (double)logits[labels[i]] - mine;
        NEAR(row[i], p);
        entropy -= exp(p) * p / log(2);
    }
    NEAR(row[N + OPINION_ENTROPY], entropy);
    NEAR(row[N + OPINION_MASS], mine - all);
    NEAR(row[N + OPINION_SURPRISE], surprise);
    cr_assert_eq(row[N + OPINION_HAS_CHOICES], choices ? 1.0f : 0.0f);
    if (!choices) {
        cr_assert_eq(row[N + OPINION_CHOICE_TOP], 0.0f);
        return;
    }
    int letters[26];
    for (int i = 0; i < 26; i++)
        letters[i] = TINY_BYTES_FIRST + 'A' + i;
    read_whole(opinion_choices_head.ptr, question, opinion_choices_tail.ptr, logits, &surprise);
    mine = log_sum(logits, letters, choices);
    for (size_t i = 0; i < choices; i++)
        top = fmax(top, (double)logits[letters[i]] - mine);
    NEAR(row[N + OPINION_CHOICE_TOP], top);
    NEAR(row[N + OPINION_CHOICE_MASS], mine - log_sum(logits, NULL, TINY_VOCAB));
}

Test(opinion_gguf, says_in_batches_what_whole_prompts_say)
{
    static const char *const questions[] = {"Why?", "Two?\nA. x\nB. yy\nC. zz",
                                            "\xc3\xa9 <|im_end|> is text here", "More?\nA. 1\nB. 2",
                                            "What follows?"};
    struct str texts[5];
    float rows[5 * (N + OPINION_CERTAINTIES)];
    struct late *l = opened();
    for (size_t i = 0; i < 5; i++)
        texts[i] = str_from(questions[i]);
    say(l, texts, 5, rows);
    for (size_t i = 0; i < 5; i++)
        check_row(questions[i], i == 1 ? 3 : i == 3 ? 2 : 0, rows + i * opinion_width(N));
    late_free(l);
}

Test(opinion_gguf, is_not_asked_the_question_where_that_is_not_wanted)
{
    const struct str text = STR("Two?\nA. x\nB. yy");
    float row[N + OPINION_CERTAINTIES];
    options.without_choices = true;
    struct late *l = opened();
    say(l, &text, 1, row);
    cr_assert_eq(row[N + OPINION_HAS_CHOICES], 0.0f);
    late_free(l);
}

Test(opinion_gguf, a_long_question_loses_its_middle_and_an_empty_one_is_fine)
{
    char longer[3 * 100 + 1];
    struct str texts[3];
    float rows[3 * (N + OPINION_CERTAINTIES)];
    memset(longer, 'a', 50);
    memset(longer + 50, 'b', 200);
    memset(longer + 250, 'c', 50);
    struct late *l = opened();
    texts[0] = (struct str){longer, 300};
    texts[1] = STR("");
    texts[2] = (struct str){longer, 50};
    say(l, texts, 3, rows);
    char cut[101];
    memset(cut, 'a', 50);
    memset(cut + 50, 'c', 50);
    cut[100] = '\0';
    check_row(cut, 0, rows);
    for (size_t i = 0; i < opinion_width(N); i++)
        cr_assert(isfinite(rows[opinion_width(N) + i]));
    late_free(l);
}

static void fingerprint_of(char into[65])
{
    struct late *l = opened();
    snprintf(into, 65, "%s", late_encoder(l)->fingerprint);
    late_free(l);
}

Test(opinion_gguf, another_prompt_is_another_fingerprint)
{
    char first[65], same[65], other[65], alone[65];
    fingerprint_of(first);
    fingerprint_of(same);
    options.head = STR("Whom?\nY: a\nZ: c\n\nQuestion:\n");
    fingerprint_of(other);
    options.head = STR(HEAD);
    options.without_choices = true;
    fingerprint_of(alone);
    cr_assert_str_eq(first, same);
    cr_assert_str_neq(first, other);
    cr_assert_str_neq(first, alone);
}

static void refused(enum status status, const char *what)
{
    struct late *l;
    struct error err;
    cr_assert_eq(opinion_gguf_open(&options, &l, &err), status, "%s", err.text);
    cr_assert_not_null(strstr(err.text, what), "%s", err.text);
}

Test(opinion_gguf, what_cannot_be_asked_is_refused)
{
    static char head[2000];
    options.chat_template = "no such template";
    refused(ERR_UNSUPPORTED, "name one by `chat_template`");
    options.chat_template = "plain"; /* a byte a token, so a letter is one */
    late_free(opened());
    options.chat_template = NULL;
    memset(head, 'x', sizeof(head) - 1);
    options.head = str_from(head);
    refused(ERR_CONTEXT, "name fewer experts");
    options.head = STR(HEAD);
    options.path = "/nonexistent.gguf";
    refused(ERR_NOT_FOUND, "/nonexistent.gguf");
    options.path = path;
    tiny_gguf_write(path, TINY_BERT, 1);
    refused(ERR_UNSUPPORTED, "");
}
