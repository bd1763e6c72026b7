/* The page. */
#include <math.h>
#include <string.h>

#include "gaps/gaps_page_int.h"
#include "planted.h"

static const struct str words[] = {STR_INIT("<murder>"), STR_INIT("jury")};
static const struct str names[] = {STR_INIT("a&b"), STR_INIT("small")};
static const struct gaps_expert experts[] = {
    {.score = 0.62, .recorded = 40, .chosen = 30, .loss = {3.4, 0.8}},
    {.score = 0.41, .expected = 0.41}};
static const struct str choices[] = {STR_INIT("yes"), STR_INIT("no")};

struct scene {
    struct query query;
    struct dataset d;
    struct score_query score;
    size_t in_data[2];
    struct outcome outcomes[2];
    uint32_t examples[1], alone[1];
    struct gaps_topic topics[2];
    struct gaps g;
    struct buf b;
};

static struct scene *scene_make(void)
{
    struct scene *s = calloc(1, sizeof(*s));
    cr_assert_not_null(s);
    s->query = (struct query){.id = STR("q1"),
                              .text = STR("Who <did> it?"),
                              .answer = STR("A"),
                              .choices = choices,
                              .choice_count = 2};
    s->d = (struct dataset){
        .queries = &s->query, .query_count = 1, .outcomes = s->outcomes, .expert_count = 2};
    s->outcomes[0] = (struct outcome){.known = true};
    s->outcomes[1] = (struct outcome){.known = true, .score = 1};
    s->in_data[1] = 1;
    s->score = (struct score_query){.expected = 0.7f, .recorded = true};
    s->topics[0] = (struct gaps_topic){.domain = STR("law"),
                                       .words = words,
                                       .word_count = 2,
                                       .queries = 40,
                                       .recorded = 40,
                                       .compared = 40,
                                       .achieved = {0.62, 0.05},
                                       .below = {0.2, 0.05},
                                       .sure = true,
                                       .adds = {12.25, 1.04},
                                       .routing = 8,
                                       .nobody = 4.25,
                                       .experts = experts,
                                       .second = 1,
                                       .examples = s->examples,
                                       .example_count = 1};
    s->topics[1] = (struct gaps_topic){.domain = STR("pottery"), .few = true, .adds = {30, 1}};
    s->g = (struct gaps){
        .scores = {.d = &s->d, .pool = {2, names, NULL, s->in_data}, .queries = &s->score},
        .level = 1,
        .topics = s->topics,
        .topic_count = 2,
        .all =
            {.queries = 40, .recorded = 40, .compared = 40, .achieved = {0.8, 0}, .adds = {200, 1}},
        .alone = s->alone,
        .alone_count = 1};
    buf_init(&s->b, 1 << 20);
    return s;
}

static void render(struct scene *s, const char *again)
{
    const struct gaps_page page = {&s->g, "m<odel", "data", again, 10};
    buf_clear(&s->b);
    gaps_write_html(&page, &s->b);
    cr_assert_eq(s->b.status, OK);
}

static void expect(const struct scene *s, const char *want)
{
    cr_expect_not_null(strstr(s->b.ptr, want), "no '%s'", want);
}

static void expect_not(const struct scene *s, const char *text)
{
    cr_expect_null(strstr(s->b.ptr, text), "'%s'", text);
}

static void scene_free(struct scene *s)
{
    buf_done(&s->b);
    free(s);
}

Test(gaps_page, topics_have_figures_words_experts_and_questions)
{
    struct scene *s = scene_make();
    render(s, NULL);
    expect(s, "A new expert for <em>law: &lt;murder&gt;, jury</em> would add 12.2");
    expect(s,
           "adds <b>12.2</b> right answers per 1,000 questions: 8.0 that choosing better may get, "
           "4.2 that nobody has");
    expect(s, "<li>&lt;murder&gt;</li><li>jury</li>");
    expect(s, "Who &lt;did&gt; it?");
    expect(s, "<ol type=\"A\"><li>yes</li><li>no</li></ol>");
    expect(s, "right: <b>A</b> · chosen: a&amp;b, expected 70 %, scored 0 % · had it right: small");
    expect(s, "<span class=\"soft\">estimated</span>");
    expect(s, "m&lt;odel");
    expect_not(s, "pottery"); /* few questions are not believed */
    expect_not(s, "id=\"again\"");
    s->outcomes[1].score = 0;
    render(s, NULL);
    expect(s, "nobody of 2 had it right");
    scene_free(s);
}

Test(gaps_page, what_is_measured_again_is_judged)
{
    struct scene *s = scene_make();
    s->g.again = (struct gaps_again){.queries = 90, .achieved = {0.7, 0.02}};
    s->topics[0].again = (struct gaps_again){20, {0.5, 0.1}, {-0.3, 0.1}};
    render(s, "held<out");
    expect(s, "held&lt;out");
    expect(s, "a gap</span>");
    s->topics[0].again.difference.error = 0.2;
    render(s, "held<out");
    expect(s, "not shown</span>");
    scene_free(s);
}

Test(gaps_page, without_outcomes_there_is_one_bar_and_no_blame)
{
    struct scene *s = scene_make();
    s->g.all.compared = s->g.all.recorded = s->topics[0].compared = s->topics[0].recorded = 0;
    s->topics[0].nobody = s->topics[0].routing = NAN;
    render(s, NULL);
    expect(s, "is expected to be right on");
    expect(s, "class=\"b7\" x=\"2.0\"");
    expect_not(s, "another expert had it right");
    expect_not(s, "nobody had");
    scene_free(s);
}

Test(gaps_page, nothing_is_lacking)
{
    struct scene *s = scene_make();
    s->topics[0].adds.value = 0;
    s->g.alone_count = 0;
    render(s, NULL);
    expect(s, "No topic lacks anything");
    expect_not(s, "id=\"ranks\"");
    expect_not(s, "id=\"topics\"");
    scene_free(s);
}
