/* round.json, read back. */
#include "runpage/round_file.h"

#include <math.h>

#include "run_scene.h"

static struct arena *arena;

static void setup(void)
{
    arena = arena_create(1 << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(round_file, .init = setup, .fini = teardown);

static enum status parse(const char *text, struct round_file *f, struct error *err)
{
    return round_file_parse(str_from(text), "round.json", arena, f, err);
}

static bool is(struct str s, const char *text)
{
    return str_equal(s, str_from(text));
}

Test(round_file, has_all_figures)
{
    struct round_file f;
    struct error err = {0};
    cr_assert_eq(parse(SCENE_ROUND_2, &f, &err), OK, "%s", err.text);
    cr_expect(f.round == 2 && f.rounds == 2 && f.cells == 3 && f.outcomes == 5 && f.compared == 20);
    cr_expect(f.spent_all_nano_usd == 2500000 && f.cap_nano_usd == 10000000 && f.cap_reached);
    cr_expect(f.area == 0.75 && f.area_error == 0.01 && f.gain_mix == 0.125 && f.doubt == 0.2);
    cr_expect(f.confidence == 0.55 && f.confidence_min == 0.8);
    cr_expect(is(f.publication, "kept") && !f.problem.ptr);
    cr_assert(f.spending_count == 2 && is(f.spending[1].purpose, "judge"));
    cr_expect(f.spending[1].calls == 3 && f.spending[1].cost_nano_usd == 300000);
    cr_assert(f.expert_count == 2 && f.experts[1].left_out && f.experts[1].outcomes == 4);
    cr_assert(f.drop_count == 1 && is(f.drops[0].reason, "duplicate") && f.drops[0].count == 2);
    cr_assert_eq(f.judge_count, 1);
    cr_expect(!f.judges[0].trusted && f.judges[0].agreement_high == 0.85);
    cr_expect(f.judges[0].position_bias == -0.25 && f.judges[0].kind_count == 2);
    cr_expect(f.judges[0].kinds[0].won == 0.75 && isnan(f.judges[0].kinds[1].won));
    cr_expect(isnan(f.judges[0].family_favour), "of no pairs");
    cr_expect(f.judges[0].length_bias == 0.375);
    cr_assert(f.judge_gap_count == 2 && is(f.judge_gaps[0].expert, "small"));
    cr_expect(!f.judge_gaps[1].expert.ptr && f.judge_gaps[1].bias == 0.1);
    cr_expect(f.consensus_gap_count == 0 && f.commands_refused == 7);
}

Test(round_file, what_is_missing_is_unknown)
{
    struct round_file f;
    cr_assert_eq(parse("{\"area\": null}", &f, NULL), OK);
    cr_expect(f.round == 0 && isnan(f.area) && isnan(f.gain_mix) && isnan(f.confidence));
    cr_expect(!f.publication.ptr && f.expert_count == 0 && f.judge_count == 0);
}

Test(round_file, what_cannot_be_is_named)
{
    static const char *const wrong[][2] = {
        {"{\"area\": 1.5}", "area"},
        {"{\"gain_mix\": -2}", "gain_mix"},
        {"{\"cells\": -1}", "cells"},
        {"{\"cells\": 1.5}", "cells"},
        {"{\"publication\": 3}", "publication"},
        {"{\"spending\": {}}", "spending"},
        {"{\"experts\": [{\"mean_score\": \"x\"}]}", "mean_score"},
        {"{\"posed\": {\"dropped\": []}}", "dropped"},
        {"{\"posed\": {\"dropped\": {\"a\": -1}}}", "dropped"},
        {"{\"evaluation\": {\"judges\": 1}}", "judges"},
        {"{\"evaluation\": {\"judges\": [{\"canary_shares\": {\"a\": 7}}]}}", "canary_shares"},
        {"{\"evaluation\": {\"judge_against_references\": {}}}", "judge_against_references"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct round_file f = {.round = 77};
        struct error err = {0};
        cr_expect_eq(parse(wrong[i][0], &f, &err), ERR_CORRUPT, "%s", wrong[i][0]);
        cr_expect(strstr(err.text, wrong[i][1]) && strstr(err.text, "round.json"), "%s", err.text);
        cr_expect_eq(f.round, 77, "left alone");
    }
    struct round_file f;
    cr_expect_neq(parse("[]", &f, NULL), OK);
    cr_expect_neq(parse("{", &f, NULL), OK);
}
