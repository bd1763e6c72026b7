/* What upstreams write when a conversation is too long for them, as tables: the words that say it, and those that stand
 * in front of the two numbers. Numbers count only as a pair in which the request is larger than the model, because a
 * client that compacts by them must not be misled. Pure functions of text for any thread; nothing is allocated, and no
 * more than the begin of an error is looked at. */
#include "dialect/overflow.h"

#include "dialect/error_words.h"

#define LIST(table) (table), sizeof(table) / sizeof((table)[0])

static const char *const says_it[] = {
    OVERFLOW_CODE,
    "context_window_exceeded",
    "exceed_context_size",
    "tokens_limit_reached",
    "prompt_too_long",
    "maximum context length",
    "context length",
    "context window",
    "context size",
    "context limit",
    "prompt is too long",
    "prompt too long",
    "prompt token count",
    "input is too long",
    "input token count",
    "too many tokens",
    "too many input tokens",
    "maximum prompt length",
    "maximum number of tokens",
    "maximum input length",
    "range of input length",
    "exceeded model token limit",
    "reduce the length of the",
    "tokens + `max_new_tokens`",
    "`inputs` must have less than",
    "when context the overflows", /* LM Studio, as it is */
};

/* What a number follows that is the request's. */
static const char *const before_tokens[] = {
    "prompt is too long: ",  "resulted in ",      "you requested ",
    "your request has ",     "request contains ", "request (",
    "input token count (",   "token count of ",   "prompt contains ",
    "(requested: ",          "requested: ",       "\"n_prompt_tokens\":",
    "input length is ",      "given: ",           "number of input tokens (",
    "the input prompt has ",
};

/* What a number follows that is the model's. */
static const char *const before_maximum[] = {
    "maximum context length is ",
    "maximum context length of ",
    "context length is ",
    "context length of only ",
    "context length of ",
    "context size (",
    "context size of ",
    "context window of ",
    "tokens allowed (",
    "prompt length is ",
    "for model with ",
    "must be <= ",
    "exceeds the limit of ",
    "token limit: ",
    "\"n_ctx\":",
    " tokens > ",
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The number at *at, perhaps behind blanks; thousands may be told apart by commas. 0: there is none. */
static int64_t read_number(const struct error_words *w, size_t *at)
{
    int64_t number = 0;
    size_t i = *at;
    while (i < w->len && w->text[i] == ' ')
        i++;
    for (; i < w->len && number < INT64_MAX / 100; i++) {
        char c = w->text[i];
        bool groups = c == ',' && number > 0 && i + 3 < w->len && is_digit(w->text[i + 1]) &&
                      is_digit(w->text[i + 2]) && is_digit(w->text[i + 3]);
        if (is_digit(c))
            number = number * 10 + (c - '0');
        else if (!groups)
            break;
    }
    *at = i;
    return number;
}

static int64_t number_after(const struct error_words *w, const char *const *words, size_t count)
{
    int64_t number = 0;
    for (size_t i = 0; number == 0 && i < count; i++) {
        size_t at = error_words_find(w, words[i]);
        if (at > 0)
            number = read_number(w, &at);
    }
    return number;
}

/* Anthropic's other sentence: "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000". */
static bool read_sum(const struct error_words *w, struct overflow *ret)
{
    size_t at = error_words_find(w, "exceed context limit: ");
    if (at == 0)
        return false;
    int64_t input = read_number(w, &at), output = 0;
    if (at + 3 <= w->len && str_equal((struct str){w->text + at, 3}, STR(" + "))) {
        at += 3;
        output = read_number(w, &at);
    }
    if (at + 3 > w->len || !str_equal((struct str){w->text + at, 3}, STR(" > ")))
        return false;
    at += 3;
    *ret = (struct overflow){input + output, read_number(w, &at)};
    return true;
}

bool overflow_read(struct str error, struct overflow *ret)
{
    struct error_words w;
    error_words_read(error, &w);
    if (!error_words_any(&w, LIST(says_it)))
        return false;
    struct overflow o = {0};
    if (!read_sum(&w, &o))
        o = (struct overflow){number_after(&w, LIST(before_tokens)),
                              number_after(&w, LIST(before_maximum))};
    *ret = o.maximum > 0 && o.tokens > o.maximum ? o : (struct overflow){0};
    return true;
}

void overflow_write_chat(const struct overflow *o, struct buf *out)
{
    buf_addf(out,
             "This model's maximum context length is %lld tokens. However, your messages resulted "
             "in %lld tokens.",
             (long long)o->maximum, (long long)o->tokens);
}

void overflow_write_messages(const struct overflow *o, struct buf *out)
{
    buf_addf(out, "prompt is too long: %lld tokens > %lld maximum", (long long)o->tokens,
             (long long)o->maximum);
}
