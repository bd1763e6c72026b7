/* Token counts where none were reported. */
#include "dialect/token_estimate.h"

#include <string.h>

int64_t tokens_from_characters(uint64_t characters)
{
    uint64_t tokens = characters / 4 + (characters % 4 != 0);
    return tokens > INT64_MAX ? INT64_MAX : (int64_t)tokens;
}

static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
}

/* The four digits behind \u; the scanner has seen that they are some. */
static uint32_t read_unit(const char *digits)
{
    return hex_digit(digits[0]) << 12 | hex_digit(digits[1]) << 8 | hex_digit(digits[2]) << 4 |
           hex_digit(digits[3]);
}

/* All counts in one: what is plain by `count`, an escape as one, or a \u escape by `unit`. */
static inline uint64_t walk(struct json_value string, struct script_counts *counts,
                            uint64_t (*count)(struct str, struct script_counts *),
                            uint32_t (*unit)(uint32_t, struct script_counts *))
{
    uint64_t characters = 0;
    if (string.type != JSON_STRING)
        return 0;
    const char *at = string.raw.ptr + 1, *end = string.raw.ptr + string.raw.len - 1;
    while (at < end) {
        if (*at == '\\') {
            characters += at[1] == 'u' ? unit(read_unit(at + 2), counts) : 1;
            at += at[1] == 'u' ? 6 : 2;
            continue;
        }
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        characters += count((struct str){at, plain}, counts);
        at += plain;
    }
    return characters;
}

static uint64_t count_points(struct str text, struct script_counts *counts)
{
    (void)counts;
    return utf8_count(text);
}

static uint32_t one(uint32_t unit, struct script_counts *counts)
{
    (void)unit;
    (void)counts;
    return 1;
}

uint64_t tokens_json_characters(struct json_value string)
{
    return walk(string, NULL, count_points, one);
}

static uint64_t weigh(struct str text, struct script_counts *counts)
{
    (void)counts;
    return script_characters(text);
}

static uint32_t weigh_unit(uint32_t unit, struct script_counts *counts)
{
    (void)counts;
    return script_unit_characters(unit);
}

uint64_t tokens_json_weight(struct json_value string)
{
    return walk(string, NULL, weigh, weigh_unit);
}

uint64_t tokens_json_scripts(struct json_value string, struct script_counts *counts)
{
    return walk(string, counts, script_count, script_unit_count);
}
