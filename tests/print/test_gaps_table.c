/* The table of gaps. */
#include "print/gaps_table.h"

#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

static const struct str words[] = {STR_INIT("murder"), STR_INIT("jury")};
static const struct str names[] = {STR_INIT("large"), STR_INIT("small")};
static const struct gaps_expert experts[] = {{.score = 0.62, .recorded = 40, .loss = {3.4, 0.8}},
                                             {.score = 0.41, .recorded = 40}};
static const uint32_t examples[] = {1};

static const char *printed(struct gaps *g, size_t most, struct buf *b)
{
    struct error err;
    FILE *f = tmpfile();
    cr_assert_not_null(f);
    cr_assert_eq(gaps_print(g, most, f, &err), OK);
    rewind(f);
    buf_clear(b);
    b->len += fread(buf_reserve(b, 1 << 16), 1, 1 << 16, f);
    b->ptr[b->len] = 0;
    fclose(f);
    return b->ptr;
}

static void expect(const char *text, const char *want)
{
    cr_expect_not_null(strstr(text, want), "no '%s' in\n%s", want, text);
}

Test(gaps_table, a_topic_has_figures_words_and_questions)
{
    struct query queries[] = {{.text = STR("first")}, {.text = STR("Who\x1b[2J did\nit?")}};
    struct dataset d = {.queries = queries, .query_count = 2};
    uint32_t alone[] = {0};
    struct gaps_topic topics[] = {{.domain = STR("law"),
                                   .words = words,
                                   .word_count = 2,
                                   .missed_words = words + 1,
                                   .missed_word_count = 1,
                                   .queries = 40,
                                   .achieved = {0.62, 0.05},
                                   .adds = {12.25, 1.04},
                                   .routing = 8,
                                   .nobody = 4.25,
                                   .experts = experts,
                                   .second = 1,
                                   .examples = examples,
                                   .example_count = 1},
                                  {.domain = STR("art"), .whole = true, .adds = {1, 1}}};
    struct gaps g = {.scores = {.d = &d, .pool = {.count = 2, .names = names}},
                     .level = 1,
                     .topics = topics,
                     .topic_count = 2,
                     .all = {.queries = 2, .achieved = {0.8, 0}, .adds = {200, 1}, .nobody = NAN},
                     .alone = alone,
                     .alone_count = 1};
    struct buf b;
    buf_init(&b, 1 << 20);
    const char *text = printed(&g, 1, &b);
    expect(text, "     12.2 ±1.0       8.0       4.2     62.0 ±5.0        40  law: murder, jury\n");
    expect(text, "missed more: jury\n");
    expect(text, "- Who [2J did it?\n");
    expect(text, "is expected to be right on 80.0 %");
    expect(text, "and 1 topic more");
    expect(text, "3.4 ±0.8     62.0     41.0        40  large, law: murder, jury\n");
    cr_expect_null(strstr(text, "again"));
    g.again.queries = 10;
    g.all.recorded = g.all.compared = 2;
    topics[0].again = (struct gaps_again){.queries = 5, .achieved = {0.5, 0.1}};
    text = printed(&g, 9, &b);
    expect(text, "62.0 ±5.0   50.0 ±10.0");
    expect(text, "is right on 80.0 %");
    expect(text, "  art\n");
    g.topic_count = g.alone_count = 0;
    expect(printed(&g, 9, &b), "no topic lacks anything at level 1");
    buf_done(&b);
}
