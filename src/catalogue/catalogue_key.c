/* How names of models are told to be the same.
 *
 * Providers, servers and files write one name in many ways, so it is first stripped of what they put around it
 * (regions, versions, tags, quantisations, dates), step by step, and each time looked up by a key in which only letters
 * and digits count. Pure functions, any thread. */
#include <string.h>

#include "catalogue/catalogue_int.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == '.' || c == ' ' || c == ':' || c == '@';
}

/* Where a separator stands in front, a "v" before a digit is one, too: "llama-v3" is "llama-3". */
static bool is_version_mark(struct str s, size_t i, bool after_separator)
{
    return lower(s.ptr[i]) == 'v' && after_separator && i + 1 < s.len && is_digit(s.ptr[i + 1]);
}

/* "3p1" is how Fireworks writes 3.1. */
static bool is_point(struct str s, size_t i)
{
    return lower(s.ptr[i]) == 'p' && i > 0 && is_digit(s.ptr[i - 1]) && i + 1 < s.len &&
           is_digit(s.ptr[i + 1]);
}

static struct str last_part(struct str name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '/' || name.ptr[i - 1] == '\\')
            return str_slice(name, i, name.len);
    return name;
}

bool catalogue_key(char into[CATALOGUE_KEY_BYTES], struct str name)
{
    struct str s = last_part(name);
    size_t n = 0;
    bool separated = true;
    if (s.len > CATALOGUE_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = lower(s.ptr[i]);
        if (is_separator(c) || is_version_mark(s, i, separated) || is_point(s, i)) {
            separated = true;
            continue;
        }
        if (!is_digit(c) && !(c >= 'a' && c <= 'z'))
            return false;
        if (separated && n > 0 && is_digit(c) && is_digit(into[n - 1]))
            into[n++] = '.';
        into[n++] = c;
        separated = false;
    }
    into[n] = 0;
    if (!strncmp(into, "metallama", 9))
        memmove(into, into + 4, n - 4 + 1);
    return n > 0;
}

/* Cuts "anthropic." off the front, as Bedrock has it, and "-v1:0" off the end. Regions stay: they cost more. */
static void strip_bedrock(struct str *name)
{
    static const struct str fronts[] = {
        STR_INIT("global."), STR_INIT("anthropic."), STR_INIT("meta."),   STR_INIT("mistral."),
        STR_INIT("cohere."), STR_INIT("amazon."),    STR_INIT("ai21."),   STR_INIT("deepseek."),
        STR_INIT("openai."), STR_INIT("qwen."),      STR_INIT("google."), STR_INIT("moonshotai.")};
    *name = last_part(*name);
    for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++)
        if (name->len > fronts[i].len &&
            str_equal_nocase(str_slice(*name, 0, fronts[i].len), fronts[i]))
            *name = str_slice(*name, fronts[i].len, name->len);
    size_t end = name->len;
    while (end > 0 && is_digit(name->ptr[end - 1]))
        end--;
    if (end == name->len || end == 0 || name->ptr[end - 1] != ':')
        return;
    size_t at = --end;
    while (at > 0 && is_digit(name->ptr[at - 1]))
        at--;
    if (at < end && at > 1 && lower(name->ptr[at - 1]) == 'v' && name->ptr[at - 2] == '-')
        name->len = at - 2;
}

static bool is_quantisation(struct str tail)
{
    static const struct str words[] = {
        STR_INIT("f16"),  STR_INIT("f32"),  STR_INIT("bf16"), STR_INIT("fp16"), STR_INIT("fp8"),
        STR_INIT("fp4"),  STR_INIT("int4"), STR_INIT("int8"), STR_INIT("awq"),  STR_INIT("gptq"),
        STR_INIT("gguf"), STR_INIT("mlx"),  STR_INIT("4bit"), STR_INIT("8bit"), STR_INIT("ud"),
        STR_INIT("hf"),   STR_INIT("w8a8"), STR_INIT("w4a16")};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_equal_nocase(tail, words[i]))
            return true;
    size_t at = tail.len > 0 && lower(tail.ptr[0]) == 'i' ? 1 : 0;
    return tail.len > at + 1 && lower(tail.ptr[at]) == 'q' && is_digit(tail.ptr[at + 1]);
}

/* The part behind the last of '-', '.' and ':', which *head then ends before. */
static struct str tail_of(struct str name, struct str *head)
{
    for (size_t i = name.len; i > 0; i--)
        if (memchr("-.:", name.ptr[i - 1], 3)) {
            *head = str_slice(name, 0, i - 1);
            return str_slice(name, i, name.len);
        }
    *head = STR("");
    return name;
}

static bool are_digits(struct str s, size_t from, size_t count)
{
    for (size_t i = from; i < from + count; i++)
        if (i >= s.len || !is_digit(s.ptr[i]))
            return false;
    return true;
}

/* "-00001-of-00003", and what else a file of a model carries behind its name. */
static void strip_file(struct str *name)
{
    struct str head;
    *name = last_part(*name);
    if (name->len > 5 && str_equal_nocase(str_slice(*name, name->len - 5, name->len), STR(".gguf")))
        name->len -= 5;
    if (name->len > 15 && are_digits(*name, name->len - 5, 5) &&
        str_equal_nocase(str_slice(*name, name->len - 9, name->len - 5), STR("-of-")) &&
        are_digits(*name, name->len - 14, 5) && name->ptr[name->len - 15] == '-')
        name->len -= 15;
    for (int i = 0; i < 4 && is_quantisation(tail_of(*name, &head)) && head.len > 0; i++)
        *name = head;
}

static void strip_latest(struct str *name)
{
    struct str head;
    if (str_equal_nocase(tail_of(*name, &head), STR("latest")) && head.len > 0)
        *name = head;
}

static bool is_year(struct str s, size_t at)
{
    return are_digits(s, at, 4) && s.ptr[at] == '2' && s.ptr[at + 1] == '0';
}

/* "-2024-08-06", "-20241022" and "@20241022". Four digits stay: "gpt-4-1106-preview" is another model. */
static void strip_date(struct str *name)
{
    struct str s = *name;
    if (s.len > 9 && is_year(s, s.len - 8) && are_digits(s, s.len - 4, 4) &&
        is_separator(s.ptr[s.len - 9]))
        name->len = s.len - 9;
    else if (s.len > 11 && is_year(s, s.len - 10) && s.ptr[s.len - 6] == '-' &&
             are_digits(s, s.len - 5, 2) && s.ptr[s.len - 3] == '-' &&
             are_digits(s, s.len - 2, 2) && is_separator(s.ptr[s.len - 11]))
        name->len = s.len - 11;
}

bool catalogue_name_strip(struct str *name, unsigned step)
{
    static void (*const steps[])(struct str *) = {strip_bedrock, strip_file, strip_latest,
                                                  strip_date};
    if (step >= sizeof(steps) / sizeof(steps[0]))
        return false;
    steps[step](name);
    return true;
}
