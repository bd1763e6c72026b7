/* Marks around thoughts: see thought.h. */
#include "judge/thought.h"

#include <string.h>

struct mark {
    struct str open, close;
};

#define MARK(open, close)                                                                          \
    {                                                                                              \
        {open, sizeof(open) - 1},                                                                  \
        {                                                                                          \
            close, sizeof(close) - 1                                                               \
        }                                                                                          \
    }

static const struct mark marks[] = {
    MARK("<think>", "</think>"),
    MARK("<thinking>", "</thinking>"),
    MARK("<thought>", "</thought>"),
    MARK("<reasoning>", "</reasoning>"),
    MARK("[THINK]", "[/THINK]"),                        /* Magistral */
    MARK("<|START_THINKING|>", "<|END_THINKING|>"),     /* Command A */
    MARK("<|begin_of_thought|>", "<|end_of_thought|>"), /* OpenThinker, QwQ's kin */
    MARK("\xe2\x97\x81think\xe2\x96\xb7", "\xe2\x97\x81/think\xe2\x96\xb7"), /* Kimi */
    MARK("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),   /* gpt-oss */
};

#define QUOTED_MAX 8 /* marks of which it is asked whether they are quoted */
#define MARKS      (sizeof(marks) / sizeof(marks[0]))

static bool can_begin_mark(char c)
{
    return c == '<' || c == '[' || c == '\xe2';
}

/* Bytes of a mark at text[at]; 0: none is there. */
static size_t mark_bytes(struct str text, size_t at, bool open)
{
    if (!can_begin_mark(text.ptr[at]))
        return 0;
    for (size_t i = 0; i < MARKS; i++) {
        struct str mark = open ? marks[i].open : marks[i].close;
        if (str_equal_nocase(str_slice(text, at, at + mark.len), mark))
            return mark.len;
    }
    return 0;
}

static bool begins_line(struct str text, size_t at)
{
    while (at > 0 && (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == '\t'))
        at--;
    return at == 0 || text.ptr[at - 1] == '\n';
}

/* Fences of code that begin lines of the text from `from` on, up to `end`. */
static size_t fences(struct str text, size_t from, size_t end)
{
    size_t count = 0;
    for (size_t at = from; at + 3 <= end; at++)
        if (text.ptr[at] == '`' && !memcmp(text.ptr + at, "```", 3) && begins_line(text, at)) {
            count++;
            at += 2;
        }
    return count;
}

/* Whether text[at] stands behind an odd number of backticks of its line. */
static bool is_behind_tick(struct str text, size_t at)
{
    bool odd = false;
    while (at > 0 && text.ptr[at - 1] != '\n')
        odd ^= text.ptr[--at] == '`';
    return odd;
}

/* A mark that is shown and not meant: between backticks, or in a fence that is closed. */
static bool is_quoted(struct str text, size_t at, size_t bytes)
{
    bool ticks =
        at > 0 && text.ptr[at - 1] == '`' && at + bytes < text.len && text.ptr[at + bytes] == '`';
    return (ticks && is_behind_tick(text, at)) ||
           (fences(text, 0, at) % 2 == 1 && fences(text, at + bytes, text.len) % 2 == 1);
}

struct str judge_behind_thought(struct str text)
{
    size_t tries = 0; /* keeps the time linear */
    for (size_t at = text.len; at-- > 0;) {
        size_t bytes = mark_bytes(text, at, false);
        if (bytes > 0 && (tries++ >= QUOTED_MAX || !is_quoted(text, at, bytes))) {
            text = str_slice(text, at + bytes, text.len);
            break;
        }
    }
    tries = 0;
    for (size_t at = 0; at < text.len; at++) {
        size_t bytes = mark_bytes(text, at, true);
        if (bytes > 0 && begins_line(text, at) &&
            (tries++ >= QUOTED_MAX || !is_quoted(text, at, bytes)))
            return str_slice(text, 0, at);
    }
    return text;
}
