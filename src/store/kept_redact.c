/* One pass over the text. At every place where a word may begin, the matchers below are asked in their order for how
 * many bytes they would take; each looks at a bounded number of bytes, so the whole is linear.
 *
 * Pure functions; any thread. What each of them takes is said in kept_redact.h, and nowhere else. */
#include "store/kept_redact.h"

#include <stdbool.h>
#include <string.h>

#define LOCAL_MAX   64  /* of an e-mail address, before the @ */
#define HOST_MAX    253 /* behind it */
#define TOKEN_MAX   4096
#define URL_MAX     256
#define RUN_MIN     24 /* of a token without a known beginning */
#define RUN_OF_EACH 4  /* digits and letters in it */
#define CARD_MIN    13
#define CARD_MAX    19
#define PHONE_MIN   8
#define PHONE_MAX   15
#define IBAN_MIN    15
#define IBAN_MAX    34

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_digit(c) || is_letter(c) || c == '_' || (unsigned char)c >= 0x80;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* '\0' behind the end. */
static char at(struct str s, size_t i)
{
    return i < s.len ? s.ptr[i] : '\0';
}

static bool starts_nocase(struct str s, const char *word)
{
    size_t i = 0;
    while (word[i] && i < s.len && lower(s.ptr[i]) == word[i])
        i++;
    return !word[i];
}

/* How many of the bytes from `from` on are of a token. */
static size_t token_length(struct str s, size_t from, const char *besides)
{
    size_t n = 0;
    while (n < TOKEN_MAX) {
        char c = at(s, from + n);
        if (!c || !(is_digit(c) || is_letter(c) || strchr(besides, c)))
            break;
        n++;
    }
    return n;
}

/* Secrets. Each matcher gives how many bytes of `s` it takes; 0: none. */

static size_t match_prefix(struct str s)
{
    static const struct {
        const char *prefix;
        size_t tail_min;
    } known[] = {
        {"sk-", 16},   {"sk_live_", 16},    {"sk_test_", 16}, {"rk_live_", 16}, {"pk_live_", 16},
        {"lr-", 40},   {"ghp_", 20},        {"gho_", 20},     {"ghu_", 20},     {"ghs_", 20},
        {"ghr_", 20},  {"github_pat_", 20}, {"glpat-", 16},   {"xoxb-", 10},    {"xoxa-", 10},
        {"xoxp-", 10}, {"xoxr-", 10},       {"xoxs-", 10},    {"AKIA", 16},     {"ASIA", 16},
        {"AIza", 30},  {"hf_", 20},         {"gsk_", 20},     {"pplx-", 20},    {"xai-", 20},
        {"r8_", 20},   {"npm_", 20},        {"pypi-", 20},    {"dop_v1_", 20},  {"SG.", 20},
        {"eyJ", 30},   {"ya29.", 20},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t prefix = strlen(known[i].prefix);
        if (!str_starts(s, str_from(known[i].prefix)))
            continue;
        size_t tail = token_length(s, prefix, "_-.");
        while (tail > 0 && at(s, prefix + tail - 1) == '.')
            tail--; /* the end of the sentence */
        if (tail >= known[i].tail_min)
            return prefix + tail;
    }
    return 0;
}

static size_t match_pem(struct str s)
{
    static const struct str begin = {"-----BEGIN ", 11}, end = {"-----END ", 9};
    if (!str_starts(s, begin))
        return 0;
    size_t key = str_find(str_slice(s, 0, 64), STR("PRIVATE KEY"), 0);
    if (key == SIZE_MAX)
        return 0;
    size_t last = str_find(s, end, 0);
    if (last == SIZE_MAX)
        return s.len;
    size_t dashes = str_find(s, STR("-----"), last + end.len);
    return dashes == SIZE_MAX ? s.len : dashes + 5;
}

static size_t match_bearer(struct str s, size_t *keep)
{
    if (!starts_nocase(s, "bearer "))
        return 0;
    size_t token = token_length(s, 7, "_-.+/=~");
    *keep = 7;
    return token >= 16 ? 7 + token : 0;
}

static size_t value_length(struct str s, size_t from, char quote)
{
    size_t n = 0;
    for (; n < TOKEN_MAX && from + n < s.len; n++) {
        char c = s.ptr[from + n];
        if (quote ? c == quote || c == '\n' : strchr(" \t\r\n,;\"'<>)", c) != NULL)
            break;
    }
    while (!quote && n > 0 && strchr(".!?:", s.ptr[from + n - 1]))
        n--;
    return n;
}

/* "password: hunter2", "API_KEY='abc123'". Words that programs use for other things, too, count only with a digit in
 * their value. */
static size_t match_assigned(struct str s, size_t *keep)
{
    static const struct {
        const char *word;
        bool digit;
    } words[] = {
        {"password", false}, {"passwort", false},    {"passwd", false},    {"passphrase", false},
        {"pwd", false},      {"api_key", true},      {"apikey", true},     {"api-key", true},
        {"api key", true},   {"access_key", true},   {"secret_key", true}, {"client_secret", true},
        {"secret", true},    {"access_token", true}, {"auth_token", true}, {"token", true}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!starts_nocase(s, words[i].word))
            continue;
        size_t from = strlen(words[i].word);
        from += at(s, from) == '"' || at(s, from) == '\'';
        from += at(s, from) == ' ';
        if (at(s, from) != ':' && at(s, from) != '=')
            continue;
        from++;
        from += at(s, from) == ' ';
        char quote = at(s, from) == '"' || at(s, from) == '\'' ? at(s, from) : '\0';
        from += quote != '\0';
        size_t value = value_length(s, from, quote);
        bool digit = false;
        for (size_t k = 0; k < value; k++)
            digit |= is_digit(s.ptr[from + k]);
        *keep = from;
        return value >= 4 && (digit || !words[i].digit) ? from + value : 0;
    }
    return 0;
}

/* "://user:password@" */
static size_t match_url(struct str s, size_t *keep)
{
    if (!str_starts(s, STR("://")))
        return 0;
    bool colon = false;
    for (size_t i = 3; i < URL_MAX; i++) {
        char c = at(s, i);
        colon |= c == ':';
        if (c == '@' && colon && i > 4) {
            *keep = 3;
            return i;
        }
        if (!c || strchr("/?# \t\r\n\"<>", c))
            return 0;
    }
    return 0;
}

static size_t match_run(struct str s)
{
    size_t n = token_length(s, 0, "_-"), digits = 0, letters = 0;
    for (size_t i = 0; i < n; i++) {
        digits += is_digit(s.ptr[i]);
        letters += is_letter(s.ptr[i]);
    }
    return n >= RUN_MIN && digits >= RUN_OF_EACH && letters >= RUN_OF_EACH ? n : 0;
}

/* People */

static size_t host_length(struct str s, size_t from)
{
    size_t n = 0, label = 0, last_dot = 0;
    bool letters = true; /* the last label is of letters alone */
    for (; n < HOST_MAX; n++) {
        char c = at(s, from + n);
        if (c == '.' && label > 0 &&
            (is_letter(at(s, from + n + 1)) || is_digit(at(s, from + n + 1)))) {
            last_dot = n;
            label = 0;
            letters = true;
            continue;
        }
        if (!c || !(is_digit(c) || is_letter(c) || c == '-'))
            break;
        letters &= is_letter(c);
        label++;
    }
    return last_dot > 0 && label >= 2 && letters ? n : 0;
}

static size_t match_email(struct str s)
{
    size_t local = 0;
    while (local < LOCAL_MAX && at(s, local) &&
           (is_word(s.ptr[local]) || strchr(".%+-", s.ptr[local])))
        local++;
    if (local == 0 || at(s, local) != '@')
        return 0;
    size_t host = host_length(s, local + 1);
    return host ? local + 1 + host : 0;
}

/* Digits with single separators between them; *ret_digits of them into digits[max]. */
static size_t digits_length(struct str s, size_t from, const char *separators, char *digits,
                            size_t max, size_t *ret_digits)
{
    size_t n = 0, end = 0, count = 0;
    while (at(s, from + n)) {
        char c = s.ptr[from + n];
        if (is_digit(c)) {
            if (count == max) {
                count++; /* too many to be one */
                break;
            }
            digits[count++] = c;
            end = ++n;
        } else if (strchr(separators, c) && n > 0 && n - end < 2) {
            n++;
        } else {
            break;
        }
    }
    *ret_digits = count;
    return end;
}

static bool luhn(const char *digits, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned d = (unsigned)(digits[count - 1 - i] - '0') << (i % 2);
        sum += d > 9 ? d - 9 : d;
    }
    return sum % 10 == 0;
}

static size_t match_card(struct str s)
{
    char digits[CARD_MAX];
    size_t count, n = digits_length(s, 0, " -", digits, CARD_MAX, &count);
    bool varied = false;
    for (size_t i = 1; i < count && i < CARD_MAX; i++)
        varied |= digits[i] != digits[0];
    if (count < CARD_MIN || count > CARD_MAX || !varied || is_word(at(s, n)))
        return 0;
    return luhn(digits, count) ? n : 0;
}

/* Remainder of the number in which letters count 10 to 35, the first four characters moved to the end. */
static bool iban_checks(const char *text, size_t count)
{
    unsigned rest = 0;
    for (size_t i = 0; i < count; i++) {
        char c = text[(i + 4) % count];
        unsigned value = is_digit(c) ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
        rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
    }
    return rest == 1;
}

static size_t match_iban(struct str s)
{
    char text[IBAN_MAX];
    size_t count = 0, n = 0, end = 0;
    for (; count < IBAN_MAX; n++) {
        char c = at(s, n);
        if (c == ' ' && count > 0 && at(s, n - 1) != ' ')
            continue;
        if (!is_digit(c) && !(c >= 'A' && c <= 'Z'))
            break;
        text[count++] = c;
        end = n + 1;
        if (count == 2 && is_digit(text[0]))
            return 0;
    }
    if (count < IBAN_MIN || is_digit(text[0]) || is_digit(text[1]) || !is_digit(text[2]) ||
        !is_digit(text[3]))
        return 0;
    for (; count >= IBAN_MIN; count--) { /* a word may follow: as many as check */
        if (iban_checks(text, count) && !is_word(at(s, end)))
            return end;
        for (end--; end > 0 && s.ptr[end - 1] == ' '; end--)
            ;
    }
    return 0;
}

/* 'd' is a digit, the rest stands for itself. */
static size_t match_pattern(struct str s, const char *pattern)
{
    size_t n = 0;
    for (; pattern[n]; n++)
        if (pattern[n] == 'd' ? !is_digit(at(s, n)) : at(s, n) != pattern[n])
            return 0;
    return is_word(at(s, n)) || (at(s, n) == '-' && is_digit(at(s, n + 1))) ? 0 : n;
}

static size_t match_phone(struct str s)
{
    static const char *const american[] = {"(ddd) ddd-dddd", "(ddd)ddd-dddd", "ddd-ddd-dddd",
                                           "ddd.ddd.dddd"};
    char digits[PHONE_MAX];
    size_t count, taken = 0;
    for (size_t i = 0; i < sizeof(american) / sizeof(american[0]) && !taken; i++)
        taken = match_pattern(s, american[i]);
    if (taken || at(s, 0) != '+' || !is_digit(at(s, 1)))
        return taken;
    size_t n = digits_length(s, 1, " -./()", digits, PHONE_MAX, &count);
    return count >= PHONE_MIN && count <= PHONE_MAX && !is_word(at(s, 1 + n)) ? 1 + n : 0;
}

/* All of them */

struct match {
    size_t keep, length; /* of the bytes, the first `keep` stay */
    const char *label;
};

static bool take(struct match *m, size_t length, const char *label)
{
    m->length = length;
    m->label = label;
    return length > 0;
}

static bool find(struct str s, struct match *m)
{
    *m = (struct match){0};
    if (take(m, match_pem(s), "[secret]") || take(m, match_email(s), "[e-mail]") ||
        take(m, match_prefix(s), "[secret]") || take(m, match_iban(s), "[account]") ||
        take(m, match_card(s), "[card]") || take(m, match_phone(s), "[phone]") ||
        take(m, match_pattern(s, "ddd-dd-dddd"), "[number]") ||
        take(m, match_bearer(s, &m->keep), "[secret]") ||
        take(m, match_assigned(s, &m->keep), "[secret]") ||
        take(m, match_url(s, &m->keep), "[secret]"))
        return true;
    m->keep = 0;
    return take(m, match_run(s), "[secret]");
}

struct str kept_redact(struct str text, struct buf *into)
{
    size_t copied = 0, i = 0;
    struct match m;
    buf_clear(into);
    while (i < text.len) {
        bool begins = i == 0 || !is_word(text.ptr[i - 1]);
        if ((!begins && text.ptr[i] != ':') || !find(str_slice(text, i, text.len), &m)) {
            i++;
            continue;
        }
        buf_add(into, str_slice(text, copied, i + m.keep));
        buf_add_c(into, m.label);
        i += m.length;
        copied = i;
    }
    if (!copied)
        return text;
    buf_add(into, str_slice(text, copied, text.len));
    return buf_str(into);
}
