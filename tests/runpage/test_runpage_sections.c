/* What each section says of a run. */
#include <math.h>

#include "run_scene.h"
#include "runpage/runpage_int.h"

struct read {
    struct scratch s;
    struct dataset *d;
    struct arena *a;
    struct run_record r;
    struct buf b;
};

static void read_scene(struct read *x)
{
    struct error err = {0};
    *x = (struct read){.s = scene_make(), .a = arena_create(1 << 24)};
    buf_init(&x->b, RUNPAGE_BYTES_MAX);
    cr_assert_eq(run_record_read(x->s.path, x->a, &x->r, &x->d, &err), OK, "%s", err.text);
}

static void done(struct read *x)
{
    buf_done(&x->b);
    dataset_free(x->d);
    arena_free(x->a);
    scratch_remove(&x->s);
}

/* The section with its tags. */
static const char *written(struct read *x, void (*section)(const struct run_record *, struct buf *))
{
    buf_clear(&x->b);
    section(&x->r, &x->b);
    buf_add_char(&x->b, '\0');
    cr_assert_eq(buf_status(&x->b, NULL), OK);
    return x->b.ptr;
}

/* The section's text without its tags, blanks for them. */
static const char *said(struct read *x, void (*section)(const struct run_record *, struct buf *))
{
    size_t to = 0;
    bool tag = false;
    written(x, section);
    for (size_t i = 0; i < x->b.len; i++) {
        tag = tag || x->b.ptr[i] == '<';
        char c = tag || x->b.ptr[i] == '\n' ? ' ' : x->b.ptr[i];
        tag = tag && x->b.ptr[i] != '>';
        if (c != ' ' || (to > 0 && x->b.ptr[to - 1] != ' '))
            x->b.ptr[to++] = c;
    }
    x->b.ptr[to] = '\0';
    return x->b.ptr;
}

static void expect(const char *text, const char *part)
{
    cr_expect(strstr(text, part), "no \"%s\" in: %s", part, text);
}

Test(runpage_sections, the_headline_says_what_came_of_it_and_why)
{
    struct read x;
    read_scene(&x);
    const char *text = said(&x, runpage_headline);
    expect(text,
           "After 2 rounds and $0.00250 the orchestrator’s area is 75.0 , 12.5 points over the "
           "best mix");
    expect(text,
           "What was in force stays: the confidence that the new model is better is 55 % on 20 "
           "questions, where 80 % are asked for.");
    expect(text, "In force is what round 1 has learnt.");
    expect(text, "The cap is reached.");
    expect(text, "The prior, which nothing was paid for, has 45.0 on the same questions.");
    cr_expect(!strstr(text, "choose alike"));
    x.r.rounds[1].gain_in_force = 0;
    expect(said(&x, runpage_headline), "At the policies in force both choose alike.");
    cr_expect(!strstr(text, "is known to"), "one point is good enough");
    x.r.rounds[1].area_error = 0.06;
    expect(said(&x, runpage_headline), "The area is known to ±6.0 points only");
    x.r.rounds[1].gain_mix = -0.01;
    expect(said(&x, runpage_headline), "1.0 points under the best mix");
    x.r.rounds[1].publication = STR("published");
    text = said(&x, runpage_headline);
    expect(text, "has taken the place of the one in force");
    cr_expect(!strstr(text, "In force is what round"));
    x.r.rounds[1].area = x.r.rounds[0].area = NAN;
    x.r.rounds[1].problem = STR("three <scores>");
    text = said(&x, runpage_headline);
    expect(text, "nothing could be measured yet");
    expect(text, "There is no model of the last round: three &lt;scores&gt;.");
    x.r.rounds[0].publication = x.r.rounds[1].publication = STR("no model");
    x.r.rounds[1].problem = (struct str){NULL, 0};
    text = said(&x, runpage_headline);
    expect(text, "After 2 rounds and $0.00250: 5 scored answers");
    expect(text, "Nothing was to be learnt of them.");
    done(&x);
}

Test(runpage_sections, the_curve_begins_at_the_prior_and_knows_its_errors)
{
    struct read x;
    size_t errors = 0;
    read_scene(&x);
    for (const char *c = written(&x, runpage_curve); (c = strstr(c, "<path class=\"err\"")); c++)
        errors++;
    cr_expect_eq(errors, 2 * 2 + 1, "two rounds, wide and narrow, and the legend");
    expect(x.b.ptr, "<th scope=\"col\">doubt, %</th><th scope=\"col\" class=\"l\">model</th>");
    const char *text = said(&x, runpage_curve);
    expect(text, " 1 4 3 $0.00120 $0.00120 12 50.0 ±5.0 52.0 −2.0 40.0 – 30.0 first ");
    expect(text, " 2 0 3 $0.00130 $0.00250 20 75.0 ±1.0 62.5 +12.5 45.0 +25.0 20.0 kept ");
    x.r.rounds[0].area = x.r.rounds[1].area = NAN;
    cr_expect(!strstr(written(&x, runpage_curve), "<svg"), "no picture of nothing");
    expect(said(&x, runpage_curve), " kept ");
    done(&x);
}

Test(runpage_sections, money_is_summed_by_expert_and_purpose)
{
    struct read x;
    read_scene(&x);
    const char *text = said(&x, runpage_money);
    expect(text, "expert answers judging calls USD share, % ");
    expect(text, "big $0.00200 $0.00 2 $0.00200 80.0 ");
    expect(text, "small $0.000200 $0.000300 5 $0.000500 20.0 ");
    expect(text, "all $0.00220 $0.000300 7 $0.00250 100.0 ");
    expect(text, "By purpose");
    expect(text, "Of the cap of $0.0100, $0.00350 are booked; $0.00100 of it for calls");
    for (size_t k = 0; k < 2; k++)
        x.r.rounds[k].spending_count = 1;
    text = said(&x, runpage_money);
    cr_expect(!strstr(text, "By purpose"), "one purpose is no picture");
    expect(text, "expert calls USD share, % ");
    done(&x);
}

/* A chart's width less where its longest bar's sum begins, which is behind all the others. */
static double room_for_sums(const char *svg)
{
    double width = 0, at, last = 0;
    cr_assert_eq(sscanf(strstr(svg, "viewBox"), "viewBox=\"0 0 %lf", &width), 1);
    for (const char *end = strstr(svg, "</svg>"); (svg = strstr(svg, "<text x=\"")) && svg < end;
         svg++)
        if (sscanf(svg, "<text x=\"%lf", &at) == 1)
            last = at > last ? at : last;
    return width - last;
}

Test(runpage_sections, small_sums_have_room_behind_their_bars)
{
    struct read x;
    read_scene(&x);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < x.r.rounds[k].spending_count; i++)
            x.r.rounds[k].spending[i].cost_nano_usd = 110;
    const char *svg = strstr(written(&x, runpage_money), "<svg");
    cr_assert(svg && strstr(svg, ">$0.000000"));
    cr_expect(room_for_sums(svg) >= 12 * 6.6, "%.1f", room_for_sums(svg));
    done(&x);
}

Test(runpage_sections, of_many_rounds_the_first_are_one_bar)
{
    struct read x;
    read_scene(&x);
    struct round_file *many = ARENA_ARRAY(x.a, 100, struct round_file);
    for (size_t k = 0; k < 100; k++) {
        many[k] = x.r.rounds[k % 2];
        many[k].round = k + 1;
    }
    x.r.rounds = many;
    x.r.round_count = 100;
    const char *text = said(&x, runpage_money);
    expect(text, " 1–71 $0.0887 ");
    expect(text, " round 72 $0.00130 ");
    expect(text, " round 100 $0.00130 ");
    expect(said(&x, runpage_curve), "The last rounds;");
    done(&x);
}

Test(runpage_sections, experts_are_held_to_what_was_expected)
{
    struct read x;
    read_scene(&x);
    const char *text = said(&x, runpage_experts);
    expect(text, "big 2 2 50.0 90.0 −90.0 ");
    expect(text, "small (left out of the last round) 4 3 33.3 73.3 −40.0 ");
    done(&x);
}

Test(runpage_sections, a_judge_is_shown_beside_its_floors)
{
    struct read x;
    read_scene(&x);
    const char *text = said(&x, runpage_trust);
    expect(text, "choice 4 100.0 ");
    expect(text, "consensus 1 50.0 ");
    expect(text, "small is refused , its scores are not used: a canary &lt;i&gt;won&lt;/i&gt;.");
    expect(text, "won by canaries ≤ 10 35.0 ");
    expect(text, "won by canaries: empty ≤ 50 75.0 won by canaries: praise ≤ 50 – ");
    expect(text, "agrees with references (95 % interval) ≥ 60 62.5 (35 to 85) ");
    expect(text, "bias to the first answer −25.0 bias to the longer answer +37.5 ");
    expect(text, "small 9 87.5 −6.2 all 11 80.0 +10.0 ");
    expect(text, "7 answers are scored by commands, which were not run");
    x.r.rounds[1].judge_count = 0;
    expect(said(&x, runpage_trust), "No judge was asked");
    done(&x);
}

Test(runpage_sections, questions_have_sources_and_reasons)
{
    struct read x;
    read_scene(&x);
    const char *text = said(&x, runpage_questions);
    expect(text, "files and traffic 3 3 5 40.0 generator 1 1 1 – ");
    expect(text, "Generators were asked 2 times");
    expect(text, "duplicate 5 Twice? (like &lt;a&gt;) too long 1 ");
    done(&x);
}

Test(runpage_sections, lessons_show_what_was_expected_and_what_came)
{
    struct read x;
    read_scene(&x);
    const char *text = said(&x, runpage_lessons);
    expect(text, "One &lt;b&gt; two? a · x&amp;y big 1 90.0 0.0 −45.0 1.00 small 2 80.0 "
                 "100.0 +1.2 ");
    expect(text, "2 questions with 3 answers were learnt from");
    expect(text, "domain questions answers taught, % x&amp;y 1 2 94.6 (none) 1 1 5.4 ");
    x.r.lessons.questions = 0;
    cr_expect_str_eq(said(&x, runpage_lessons), "");
    done(&x);
}
