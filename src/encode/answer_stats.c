/* Statistics of an answer's text: see answer_stats.h. */
#include "encode/answer_stats.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Lower case, each in the family of statistics that it counts for. Matched at the beginning of a word. */
#define CUE(text, stat)                                                                            \
    {                                                                                              \
        {text, sizeof(text) - 1}, stat                                                             \
    }
static const struct {
    struct str text;
    enum answer_stat stat;
} cues[] = {
    CUE("however", ANSWER_LOG_TURNS),       CUE("but ", ANSWER_LOG_TURNS),
    CUE("wait", ANSWER_LOG_TURNS),          CUE("actually", ANSWER_LOG_TURNS),
    CUE("mistake", ANSWER_LOG_TURNS),       CUE("closest", ANSWER_LOG_CLOSEST),
    CUE("nearest", ANSWER_LOG_CLOSEST),     CUE("most likely", ANSWER_LOG_CLOSEST),
    CUE("approximate", ANSWER_LOG_CLOSEST), CUE("assum", ANSWER_LOG_CLOSEST),
    CUE("none of", ANSWER_LOG_NONE),        CUE("not listed", ANSWER_LOG_NONE),
    CUE("not among", ANSWER_LOG_NONE),      CUE("cannot", ANSWER_LOG_NONE),
    CUE("unable", ANSWER_LOG_NONE),         CUE("unclear", ANSWER_LOG_NONE),
    CUE("therefore", ANSWER_LOG_CERTAIN),   CUE("thus", ANSWER_LOG_CERTAIN),
    CUE("hence", ANSWER_LOG_CERTAIN),       CUE("clearly", ANSWER_LOG_CERTAIN),
};
#define CUE_COUNT (sizeof(cues) / sizeof(cues[0]))

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct counts {
    uint32_t characters, lines, digits, equals, formulas, last_line;
    uint32_t cues[ANSWER_STATS];
};

static void count_bytes(struct str text, struct counts *c)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        c->characters += ((unsigned char)byte & 0xC0) != 0x80; /* UTF-8: not a continuation */
        c->digits += byte >= '0' && byte <= '9';
        c->equals += byte == '=';
        c->formulas += byte == '$' || byte == '\\';
        if (byte == '\n') {
            c->lines++;
            c->last_line = 0;
        } else if (byte != ' ') {
            c->last_line++;
        }
    }
}

static void count_cues(struct str text, struct counts *c)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_letter(text.ptr[i]) || (i > 0 && is_letter(text.ptr[i - 1])))
            continue;
        for (size_t k = 0; k < CUE_COUNT; k++) {
            size_t len = cues[k].text.len;
            if (i + len <= text.len && str_equal_nocase(str_slice(text, i, i + len), cues[k].text))
                c->cues[cues[k].stat]++;
        }
    }
}

static float log_count(uint32_t n)
{
    return log1pf((float)n);
}

void answer_stats(struct str text, float *stats)
{
    struct counts c = {0};
    text = str_trim(text);
    if (text.len > ANSWER_STATS_BYTES_MAX)
        text = str_slice(text, text.len - ANSWER_STATS_BYTES_MAX, text.len);
    count_bytes(text, &c);
    count_cues(text, &c);
    for (size_t s = 0; s < ANSWER_STATS; s++)
        stats[s] = log_count(c.cues[s]);
    stats[ANSWER_LOG_CHARACTERS] = log_count(c.characters);
    stats[ANSWER_LOG_LINES] = log_count(c.lines);
    stats[ANSWER_DIGIT_SHARE] = c.characters ? (float)c.digits / (float)c.characters : 0;
    stats[ANSWER_LOG_EQUALS] = log_count(c.equals);
    stats[ANSWER_LOG_FORMULAS] = log_count(c.formulas);
    stats[ANSWER_LOG_LAST_LINE] = log_count(c.last_line);
}
