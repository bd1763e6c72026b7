/* PCRE2 behind two functions: see pattern.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "judge/pattern.h"

#include <pcre2.h>

struct pattern {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

static void pattern_free(void *arg)
{
    struct pattern *p = arg;
    pcre2_match_context_free(p->limits);
    pcre2_match_data_free(p->match);
    pcre2_code_free(p->code);
}

static enum status compile(struct str expression, struct pattern *p, struct error *err)
{
    char why[120];
    int code = 0;
    size_t at = 0;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context)
        return error_set(err, ERR_MEMORY, "out of memory for a regular expression");
    pcre2_set_parens_nest_limit(context, PATTERN_NESTING);
    pcre2_set_max_pattern_length(context, PATTERN_BYTES_MAX);
    p->code = pcre2_compile((PCRE2_SPTR)expression.ptr, expression.len,
                            PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, context);
    pcre2_compile_context_free(context);
    if (p->code)
        return OK;
    pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
    return error_set(err, ERR_INPUT, "the regular expression is wrong at its byte %zu: %s", at + 1,
                     why);
}

enum status pattern_create(struct str expression, struct arena *a, struct pattern **ret,
                           struct error *err)
{
    struct pattern *p = ARENA_NEW(a, struct pattern);
    if (expression.len > PATTERN_BYTES_MAX)
        return error_set(err, ERR_TOO_LARGE, "a regular expression has at most %d bytes",
                         PATTERN_BYTES_MAX);
    if (!p || arena_defer(a, pattern_free, p) != OK)
        return error_set(err, ERR_MEMORY, "out of memory for a regular expression");
    enum status status = compile(expression, p, err);
    if (status != OK)
        return status;
    p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
    p->limits = pcre2_match_context_create(NULL);
    if (!p->match || !p->limits)
        return error_set(err, ERR_MEMORY, "out of memory for a regular expression");
    pcre2_set_match_limit(p->limits, PATTERN_STEPS_MAX);
    pcre2_set_heap_limit(p->limits, PATTERN_HEAP_KIB);
    *ret = p;
    return OK;
}

enum status pattern_find(const struct pattern *p, struct str text, bool *ret, struct error *err)
{
    if (text.len > PATTERN_TEXT_BYTES)
        return error_set(err, ERR_TOO_LARGE, "the text is too long for a regular expression");
    const int found =
        pcre2_match(p->code, (PCRE2_SPTR)text.ptr, text.len, 0, 0, p->match, p->limits);
    if (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_HEAPLIMIT ||
        found == PCRE2_ERROR_DEPTHLIMIT)
        return error_set(err, ERR_TOO_LARGE,
                         "the regular expression needs too many steps for this text");
    if (found <= PCRE2_ERROR_UTF8_ERR1 && found >= PCRE2_ERROR_UTF8_ERR21)
        return error_set(err, ERR_INPUT, "the text is no UTF-8");
    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
        return error_set(err, ERR_INPUT, "the regular expression cannot be used: error %d of PCRE2",
                         found);
    *ret = found >= 0;
    return OK;
}
