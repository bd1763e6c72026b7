/* Planted gaps are found. */
#include "gaps/gaps.h"

#include "base/json.h"
#include "planted.h"

#define ROWS 1200

struct scene {
    struct planted *train, *p;
    struct model *m;
    struct arena *a;
    struct gaps g;
};

static struct scene *scene_make(bool domains)
{
    struct scene *s = calloc(1, sizeof(*s));
    cr_assert_not_null(s);
    s->train = planted_make(ROWS, 1, domains);
    s->p = planted_make(ROWS, 2, domains);
    s->m = planted_model(s->train);
    s->a = arena_create(1 << 30);
    return s;
}

static void scene_free(struct scene *s)
{
    model_free(s->m);
    planted_free(s->train);
    planted_free(s->p);
    arena_free(s->a);
    free(s);
}

static const struct gaps_options usual = {.level = 1, .examples = 3};

static void find(struct scene *s, const struct dataset *d)
{
    struct error err;
    cr_assert_eq(gaps_find(s->m, d, &usual, s->a, &s->g, &err), OK, "%s", err.text);
}

/* The subject that most of the topic's words are of. */
static int subject_of(const struct gaps_topic *t)
{
    int best = -1;
    size_t most = 0;
    for (int s = 0; s < PLANTED_SUBJECTS; s++) {
        size_t found = 0;
        for (size_t w = 0; w < t->word_count; w++)
            for (int i = 0; i < 8; i++)
                found += str_equal(t->words[w], str_from(planted_words[s][i]));
        if (found > most) {
            most = found;
            best = s;
        }
    }
    return best;
}

static void expect_glaciers_first(const struct scene *s)
{
    size_t sure = 0;
    for (; sure < s->g.topic_count && s->g.topics[sure].sure; sure++) {
        const struct gaps_topic *t = &s->g.topics[sure];
        cr_expect_eq(subject_of(t), PLANTED_GLACIERS);
        cr_expect_lt(t->achieved.value, 0.25);
        cr_expect_gt(t->nobody, 3 * t->routing);
        cr_expect_eq(t->example_count, 3);
        for (size_t i = 0; i < t->example_count; i++) {
            cr_expect_eq(s->g.scores.missed[t->examples[i]], 1);
            cr_expect_eq(s->g.set.topic_of[t->examples[i]], t->number);
        }
    }
    cr_expect(sure > 0);
    for (size_t t = sure; t < s->g.topic_count; t++)
        cr_expect_neq(subject_of(&s->g.topics[t]), PLANTED_GLACIERS);
}

Test(gaps, what_nobody_knows_comes_first)
{
    struct scene *s = scene_make(false);
    find(s, &s->p->d);
    expect_glaciers_first(s);
    find(s, &s->train->d); /* what the model has learnt by heart */
    expect_glaciers_first(s);
    scene_free(s);
}

Test(gaps, a_domain_is_parted_where_it_fails)
{
    struct scene *s = scene_make(true);
    find(s, &s->p->d);
    expect_glaciers_first(s);
    cr_expect(str_equal(s->g.topics[0].domain, STR("games")));
    scene_free(s);
}

Test(gaps, without_outcomes_the_model_says_where)
{
    struct scene *s = scene_make(false);
    s->p->d.outcomes = NULL;
    find(s, &s->p->d);
    cr_expect_eq(s->g.all.recorded, 0);
    cr_expect_eq(subject_of(&s->g.topics[0]), PLANTED_GLACIERS);
    cr_expect(s->g.topics[0].sure && s->g.topics[0].nobody != s->g.topics[0].nobody);
    scene_free(s);
}

Test(gaps, an_expert_stands_alone_where_no_other_knows)
{
    struct scene *s = scene_make(false);
    find(s, &s->p->d);
    cr_assert(s->g.alone_count > 0);
    bool ships = false;
    for (size_t i = 0; i < s->g.alone_count; i++) {
        const struct gaps_topic *t = &s->g.topics[s->g.alone[i]];
        const struct gaps_expert *x = &t->experts[t->alone];
        cr_expect_geq(x->score - t->experts[t->second].score, GAPS_ALONE_LEAST);
        cr_expect_gt(x->loss.value, 0);
        ships |= t->alone == 1 && subject_of(t) == PLANTED_SHIPS;
        cr_expect_neq(subject_of(t), PLANTED_GLACIERS);
    }
    cr_expect(ships);
    scene_free(s);
}

Test(gaps, few_answers_say_little_of_an_expert)
{
    struct scene *s = scene_make(false);
    size_t asked = 0;
    for (size_t q = 0; q < ROWS;
         q++) { /* of "poor" two answers on glaciers are known, both right */
        struct outcome *poor = &s->p->outcomes[q * PLANTED_EXPERTS + 2];
        poor->known = s->p->subject[q] == PLANTED_GLACIERS && asked < 2;
        poor->score = 1;
        asked += poor->known;
    }
    find(s, &s->p->d);
    for (size_t i = 0; i < s->g.topic_count; i++) {
        const struct gaps_expert *x = &s->g.topics[i].experts[2];
        cr_expect(x->recorded == 0 || (x->measured == 1 && x->score < 0.3));
    }
    scene_free(s);
}

Test(gaps, a_noun_is_told_once)
{
    struct scene *s = scene_make(false);
    bool once = false;
    find(s, &s->p->d);
    for (size_t t = 0; t < s->g.topic_count; t++) {
        const struct gaps_topic *x = &s->g.topics[t];
        size_t pawns = 0;
        for (size_t w = 0; w < x->word_count; w++)
            pawns += str_equal(x->words[w], STR("pawn")) || str_equal(x->words[w], STR("pawns"));
        cr_expect_leq(pawns, 1);
        once |= pawns == 1;
    }
    cr_expect(once);
    scene_free(s);
}

Test(gaps, topics_add_up_to_all)
{
    struct scene *s = scene_make(true);
    find(s, &s->p->d);
    double missed = 0, queries = 0, lost = 0;
    for (size_t t = 0; t < s->g.topic_count; t++) {
        const struct gaps_topic *x = &s->g.topics[t];
        missed += (1 - x->measured) * (double)x->queries;
        queries += (double)x->queries;
        for (size_t e = 0; e < 3; e++)
            lost += x->experts[e].loss.value;
        cr_expect_eq(s->g.place[x->number], t);
    }
    cr_expect_float_eq(queries, ROWS, 0);
    cr_expect_float_eq(missed / queries, 1 - s->g.all.measured, 1e-6);
    for (size_t e = 0; e < 3; e++)
        lost -= s->g.all.experts[e].loss.value;
    cr_expect_float_eq(lost, 0, 1e-6);
    scene_free(s);
}

Test(gaps, topics_are_measured_again_on_other_questions)
{
    struct scene *s = scene_make(true);
    struct error err;
    find(s, &s->train->d);
    s->p->queries[0] = s->train->queries[0];
    s->p->queries[1].domain = STR("unheard");
    cr_assert_eq(gaps_again(s->m, &s->p->d, &usual, s->a, &s->g, &err), OK);
    cr_expect_eq(s->g.again.queries, ROWS);
    cr_expect_eq(s->g.again_known, 1);
    cr_expect_eq(s->g.again_unplaced, 1);
    const struct gaps_again *first = &s->g.topics[0].again;
    cr_expect_lt(first->achieved.value, 0.2);
    cr_expect_lt(first->difference.value, -10 * first->difference.error);
    size_t queries = 0;
    for (size_t t = 0; t < s->g.topic_count; t++)
        queries += s->g.topics[t].again.queries;
    cr_expect_eq(queries, ROWS - 1);
    scene_free(s);
}

Test(gaps, seed_and_data_make_the_result)
{
    struct scene *s = scene_make(false);
    struct buf one, two;
    buf_init(&one, 1 << 24);
    buf_init(&two, 1 << 24);
    find(s, &s->p->d);
    gaps_write_json(&s->g, 100, &one);
    find(s, &s->p->d);
    gaps_write_json(&s->g, 100, &two);
    cr_expect(str_equal(buf_str(&one), buf_str(&two)));
    struct json_value json;
    struct error err;
    cr_assert_eq(json_parse(buf_str(&one), "gaps", 1, &json, &err), OK, "%s", err.text);
    cr_expect(json_is_filled(json_get(json, "topics")));
    buf_done(&one);
    buf_done(&two);
    scene_free(s);
}

Test(gaps, no_queries_are_an_error)
{
    struct scene *s = scene_make(false);
    struct error err;
    s->p->d.query_count = 0;
    cr_expect_eq(gaps_find(s->m, &s->p->d, &usual, s->a, &s->g, &err), ERR_INPUT);
    scene_free(s);
}
