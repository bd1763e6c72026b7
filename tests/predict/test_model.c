/* Model files from training to estimates, and the many ways a file can be wrong. A model is 8 MB at least: one is
 * written for each test and damaged in memory; the checksum is mended where what lies behind it is meant. */
#include "predict/model.h"

#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "predict/model_format.h"
#include "predict/safetensors.h"
#include "train/world.h"

#define ROWS 300

static struct world *world;
static struct trained *trained;
static char path[64];
static struct buf file;

static void begin(void)
{
    world = world_make(ROWS);
    trained = world_train(world, 1);
    strcpy(path, "/tmp/leeroo-model-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    struct error err = {0};
    cr_assert_eq(model_write(trained, path, &err), OK, "%s", err.text);
    buf_init(&file, 64u << 20);
    cr_assert_eq(file_read(path, 64u << 20, &file, NULL), OK);
}

static void end(void)
{
    unlink(path);
    buf_done(&file);
    trained_free(trained);
    world_free(world);
}

TestSuite(model, .init = begin, .fini = end);

static struct model *load(void)
{
    struct model *m = NULL;
    struct error err = {0};
    cr_assert_eq(model_load(path, &m, &err), OK, "%s", err.text);
    return m;
}

static struct str header_of(void)
{
    return (struct str){file.ptr + 8, (unsigned char)file.ptr[0] |
                                          (size_t)(unsigned char)file.ptr[1] << 8 |
                                          (size_t)(unsigned char)file.ptr[2] << 16};
}

static char *find_in_header(const char *text)
{
    size_t at = str_find(header_of(), str_from(text), 0);
    cr_assert_neq(at, SIZE_MAX, "no %s", text);
    return file.ptr + 8 + at;
}

/* The checksum made right again after an edit. */
static void sign(void)
{
    struct str header = header_of();
    struct str data = {header.ptr + header.len, file.len - 8 - header.len};
    char hex[CHECKSUM_DIGITS + 1], *digits = find_in_header("\"checksum\":\"") + 12;
    snprintf(hex, sizeof(hex), "%016" PRIx64, model_file_checksum(header, digits, data));
    memcpy(digits, hex, CHECKSUM_DIGITS);
}

static enum status load_edited(struct error *err)
{
    struct model *m = NULL;
    enum status status = model_load_bytes(file.ptr, file.len, &m, err);
    cr_assert_eq(status == OK, m != NULL);
    model_free(m);
    return status;
}

static void expect_refusal(enum status wanted, const char *words)
{
    struct error err = {0};
    enum status status = load_edited(&err);
    cr_assert_eq(status, wanted, "status %d: %s", status, err.text);
    cr_assert_not_null(strstr(err.text, words), "'%s' lacks '%s'", err.text, words);
}

/* Replaces a text of the header by another of equal length, signs, expects a refusal, and puts all back. */
static void expect_edit_refused(const char *from, const char *to, enum status wanted,
                                const char *words)
{
    char *at = find_in_header(from);
    cr_assert_eq(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    sign();
    expect_refusal(wanted, words);
    memcpy(at, from, strlen(from));
    sign();
}

Test(model, says_what_was_trained)
{
    struct model *m = load();
    cr_assert_eq(model_expert_count(m), WORLD_EXPERTS);
    for (size_t e = 0; e < WORLD_EXPERTS; e++) {
        const struct model_expert *x = model_expert_at(m, e);
        cr_assert(str_equal(x->name, world->experts[e].name));
        cr_assert_eq(memcmp(&x->price, &world->experts[e].price, sizeof(x->price)), 0);
        cr_assert_eq(x->accuracy, trained->figures[e].accuracy);
        cr_assert_eq(x->mean_cost_usd, trained->figures[e].mean_cost_usd);
        cr_assert_eq(model_expert_index(m, x->name), e);
    }
    cr_assert_eq(model_expert_index(m, STR("nobody")), SIZE_MAX);
    const struct encoder *const *encoders;
    cr_assert_eq(model_encoders(m, &encoders), 1);
    cr_assert_str_eq(encoders[0]->name, "ngram");
    model_free(m);
    model_free(NULL);
}

static float shared_sd_of_file(void)
{
    struct model *m = NULL;
    struct error err = {0};
    cr_assert_eq(model_load_bytes(file.ptr, file.len, &m, &err), OK, "%s", err.text);
    float s = model_shared_sd(m);
    model_free(m);
    return s;
}

Test(model, how_much_experts_err_together_comes_back)
{
    cr_assert(trained->parts.shared_sd_known);
    cr_assert_eq(shared_sd_of_file(), trained->parts.shared_sd);
    char *value = find_in_header("\"shared_sd\":\"") + 13, was[6];
    memcpy(was, value, 5);
    memcpy(value, "2.345", 5);
    sign();
    cr_assert_eq(shared_sd_of_file(), 2.345f);
    static const char *const forged[] = {"4.001", "-1.00", "  nan", "1e999", "1.2.3", "x.123"};
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        memcpy(value, forged[i], 5);
        sign();
        expect_refusal(ERR_CORRUPT, "'shared_sd' is damaged");
    }
    memcpy(find_in_header("\"shared_sd\":"),
           "\"shared_md\":", 12); /* as a file of earlier builds */
    sign();
    cr_assert_eq(shared_sd_of_file(), 1.0f);
}

Test(model, estimates_are_those_of_the_predictor)
{
    struct model *m = load();
    struct features f;
    cr_assert_eq(features_init(&f, NULL), OK);
    for (size_t i = 0; i < 40; i++) {
        struct estimate estimates[WORLD_EXPERTS];
        float quality[WORLD_EXPERTS], in[WORLD_EXPERTS], out[WORLD_EXPERTS], spread;
        struct guard_view seen;
        struct str text = i ? world->queries[i].prompt : STR("");
        cr_assert_eq(model_encode(m, text, &f, NULL), OK);
        model_estimate(m, &f, estimates);
        predictor_run(&trained->parts.predictor, &f, quality, in, out, &spread, &seen);
        for (size_t e = 0; e < WORLD_EXPERTS; e++) {
            const struct price *p = &world->experts[e].price;
            double nano = ((double)in[e] * (double)p->input_nano_usd_per_m +
                           (double)out[e] * (double)p->output_nano_usd_per_m) /
                          1e6;
            cr_assert_eq((double)estimates[e].quality, (double)quality[e]);
            cr_assert_eq((double)estimates[e].quality_sd,
                         (double)spread_quality_sd(spread, quality[e]));
            cr_assert_eq((double)estimates[e].input_tokens, (double)in[e]);
            cr_assert_eq((double)estimates[e].output_tokens, (double)out[e]);
            cr_assert_float_eq((double)estimates[e].cost_nano_usd, nano, 1);
        }
    }
    features_done(&f);
    model_free(m);
}

Test(model, cost_at_another_price)
{
    const struct estimate e = {.input_tokens = 100, .output_tokens = 2.5f};
    cr_assert_eq(model_cost_nano_usd(&(struct price){.input_nano_usd_per_m = 1000000000,
                                                     .output_nano_usd_per_m = 2000000000},
                                     &e),
                 105000);
    cr_assert_eq(model_cost_nano_usd(
                     &(struct price){.input_nano_usd_per_m = 0, .output_nano_usd_per_m = 0}, &e),
                 0);
    const struct estimate huge = {.input_tokens = TOKENS_MAX, .output_tokens = TOKENS_MAX};
    const int64_t dearest = NANO_PER_USD * NANO_PER_USD;
    cr_assert_eq(model_cost_nano_usd(&(struct price){.input_nano_usd_per_m = dearest,
                                                     .output_nano_usd_per_m = dearest},
                                     &huge),
                 INT64_MAX);
}

Test(model, knows_what_it_was_trained_on)
{
    struct model *m = load();
    for (size_t i = 0; i < ROWS; i++) {
        cr_assert(model_trained_on(m, world->queries[i].text_hash));
        cr_assert(!model_trained_on(m, world->queries[i].text_hash + 1));
    }
    cr_assert(!model_trained_on(m, 0));
    cr_assert(!model_trained_on(m, UINT64_MAX));
    model_free(m);
}

/* What the sample costs when each of its queries takes the best utility at this lambda. */
static double usd_per_1k(double lambda, const bool *use)
{
    double total = 0;
    for (size_t i = 0; i < trained->parts.sample; i++) {
        double best = -INFINITY, paid = 0;
        for (size_t e = 0; e < WORLD_EXPERTS; e++) {
            double cost = (double)trained->parts.sample_cost_usd[i * WORLD_EXPERTS + e];
            double utility =
                (double)trained->parts.sample_quality[i * WORLD_EXPERTS + e] - lambda * cost;
            if ((!use || use[e]) && utility > best) {
                best = utility;
                paid = cost;
            }
        }
        total += paid;
    }
    return 1000 * total / (double)trained->parts.sample;
}

Test(model, lambda_meets_the_budget)
{
    struct model *m = load();
    double before = INFINITY, cheapest = usd_per_1k(1e12, NULL), dearest = usd_per_1k(0, NULL);
    cr_assert_lt(cheapest, dearest);
    cr_assert_eq(trained->parts.sample, ROWS);
    for (int i = 0; i <= 40; i++) {
        double budget = cheapest + (dearest - cheapest) * i / 40;
        double lambda = model_lambda_for_budget(m, NULL, budget), cost = usd_per_1k(lambda, NULL);
        cr_assert_leq(lambda, before);
        cr_assert_leq(cost, budget * (1 + 1e-6));
        cr_assert_geq(cost, budget - 0.06 * dearest); /* one query more would not fit */
        before = lambda;
    }
    cr_assert_eq(model_lambda_for_budget(m, NULL, 2 * dearest), 0);
    cr_assert_gt(model_lambda_for_budget(m, NULL, cheapest / 2), 1e11);
    const bool use[WORLD_EXPERTS] = {true, true, false};
    double lambda = model_lambda_for_budget(m, use, 0.7 * usd_per_1k(0, use));
    cr_assert_leq(usd_per_1k(lambda, use), 0.7 * usd_per_1k(0, use) * (1 + 1e-6));
    model_free(m);
}

Test(model, the_checksum_identifies_the_file)
{
    struct model *m = load(), *n = NULL;
    struct trained *other = world_train(world, 2);
    char hex[CHECKSUM_DIGITS + 1];
    snprintf(hex, sizeof(hex), "%016" PRIx64, model_checksum(m));
    cr_assert_eq(memcmp(find_in_header("\"checksum\":\"") + 12, hex, CHECKSUM_DIGITS), 0);
    cr_assert_eq(model_load_bytes(file.ptr, file.len, &n, NULL), OK);
    cr_assert_eq(model_checksum(m), model_checksum(n));
    model_free(n);
    cr_assert_eq(model_write(other, path, NULL), OK);
    n = load();
    cr_assert_neq(model_checksum(m), model_checksum(n));
    model_free(m);
    model_free(n);
    trained_free(other);
}

static void expect_cut_refused(size_t len)
{
    struct model *m = NULL;
    cr_assert_eq(model_load_bytes(file.ptr, len, &m, NULL), ERR_CORRUPT, "cut at %zu", len);
    cr_assert_null(m);
}

Test(model, truncated_files_are_refused)
{
    size_t front = 8 + header_of().len;
    for (size_t len = 0; len < front; len += 97)
        expect_cut_refused(len);
    for (size_t k = 0; k < 60; k++)
        expect_cut_refused(front + (file.len - front) / 60 * k / 97 * 97);
    expect_cut_refused(file.len - 1);
    buf_add_char(&file, '\0'); /* and so are longer ones */
    expect_cut_refused(file.len);
}

static void expect_flip_refused(size_t byte, unsigned bit)
{
    struct model *m = NULL;
    file.ptr[byte] = (char)(file.ptr[byte] ^ (1 << bit));
    enum status status = model_load_bytes(file.ptr, file.len, &m, NULL);
    cr_assert(status == ERR_CORRUPT || status == ERR_UNSUPPORTED, "byte %zu bit %u: %d", byte, bit,
              status);
    file.ptr[byte] = (char)(file.ptr[byte] ^ (1 << bit));
}

Test(model, flipped_bits_of_the_header_are_refused)
{
    for (size_t byte = 0; byte < 8; byte++)
        for (unsigned bit = 0; bit < 8; bit++)
            expect_flip_refused(byte, bit);
    for (size_t i = 0; i < header_of().len; i += 3) /* each costs a checksum of the whole file */
        expect_flip_refused(8 + i, (unsigned)(i / 3 % 8));
}

Test(model, flipped_bits_of_the_data_are_refused)
{
    struct rng r;
    size_t front = 8 + header_of().len;
    rng_seed(&r, 1);
    for (int i = 0; i < 200; i++)
        expect_flip_refused(front + (size_t)rng_below(&r, file.len - front),
                            (unsigned)rng_below(&r, 8));
}

Test(model, foreign_files_are_refused_in_a_sentence)
{
    struct model *m = NULL;
    struct error err;
    cr_assert_eq(model_load("/nonexistent/m.leeroo", &m, &err), ERR_NOT_FOUND);
    cr_assert_not_null(strstr(err.text, "/nonexistent/m.leeroo"));
    cr_assert_eq(model_load("/tmp", &m, &err), err.status);
    cr_assert_neq(err.status, OK);
    cr_assert_eq(model_load_bytes("", 0, &m, &err), ERR_CORRUPT);
    static const char bare[] = "\x02\0\0\0\0\0\0\0{}";
    cr_assert_eq(model_load_bytes(bare, sizeof(bare) - 1, &m, &err), ERR_CORRUPT);
    cr_assert_not_null(strstr(err.text, "not a Leeroo model"), "%s", err.text);
    static const char other[] = "\x26\0\0\0\0\0\0\0{\"__metadata__\":{\"format\":\"pytorch1\"}}";
    cr_assert_eq(model_load_bytes(other, sizeof(other) - 1, &m, &err), ERR_UNSUPPORTED);
    cr_assert_not_null(strstr(err.text, "format is 'pytorch1'"), "%s", err.text);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs("#!/bin/sh\necho this is no model at all\n", f);
    fclose(f);
    cr_assert_eq(model_load(path, &m, &err), ERR_CORRUPT);
    cr_assert_not_null(strstr(err.text, path), "%s", err.text);
    cr_assert_null(m);
}

Test(model, other_versions_are_refused)
{
    expect_edit_refused("\"version\":\"5\"", "\"version\":\"3\"", ERR_UNSUPPORTED,
                        "a model of version '3'; this program reads '5': train the model again, or "
                        "use the program that made it");
    expect_edit_refused("\\\"ngram18", "\\\"ngram19", ERR_UNSUPPORTED, "encoder is 'ngram19");
    expect_edit_refused("\\\"name\\\":\\\"ngram", "\\\"name\\\":\\\"other", ERR_UNSUPPORTED,
                        "no encoder 'other'");
    expect_edit_refused("\\\"kind\\\":\\\"linear", "\\\"kind\\\":\\\"knight", ERR_UNSUPPORTED,
                        "no sources of kind 'knight'");
    cr_assert_eq(load_edited(NULL), OK); /* all was put back */
    memcpy(find_in_header("\"checksum\":"), "\"checkers\":", 11);
    expect_refusal(ERR_CORRUPT, "no 'checksum'");
}

static const struct {
    const char *from, *to, *words;
} edits[] = {
    {"\"source.words.bias\":{\"dtype\":\"F32\"", "\"source.words.bias\":{\"dtype\":\"F16\"",
     "'source.words.bias'"},
    {"\"source.words.bias\"", "\"source.words.bios\"", "no tensor 'source.words.bias'"},
    {"\"source.words.weights\"", "\"source.words.weighty\"", "no tensor 'source.words.weights'"},
    {"\"source.groups.quality\"", "\"source.groups.qualify\"", "no tensor 'source.groups.quality'"},
    {"\"stack.contrast\"", "\"stack.contrasT\"", "no tensor 'stack.contrast'"},
    {"\"stack.base\"", "\"stack.bass\"", "no tensor 'stack.base'"},
    {"\"stack.calibration\"", "\"stack.calibratiom\"", "no tensor 'stack.calibration'"},
    {"\"tokens\"", "\"tokenz\"", "no tensor 'tokens'"},
    {"\"forest.trees\"", "\"forest.treez\"", "no tensor 'forest.trees'"},
    {"\"forest.leaves\"", "\"forest.leafes\"", "no tensor 'forest.leaves'"},
    {"\"train.text_hashes\"", "\"train.text_hashed\"", "no tensor 'train.text_hashes'"},
    {"\"sample.quality\"", "\"sample.qualitt\"", "no tensor 'sample.quality'"},
    {"\"sample.cost_usd\"", "\"sample.cost_eur\"", "no tensor 'sample.cost_usd'"},
    {"\"shape\":[262144,16]", "\"shape\":[262143,16]", "'source.words.weights'"},
    {"\\\"name\\\":\\\"cheap", "\\\"nome\\\":\\\"cheap", "list of experts"},
    {"\\\"usd_per_m_input\\\"", "\\\"usd_per_k_input\\\"", "list of experts"},
    {"\\\"accuracy\\\"", "\\\"accurate\\\"", "list of experts"},
    {"\"encoders\":\"[{", "\"encoders\":\"{{", "list of encoders"},
    {"\"sources\":\"[{", "\"sources\":\"{{", "list of sources"},
    {"\\\"encoder\\\":\\\"ngram", "\\\"encoder\\\":\\\"angry", "list of sources"},
    {"\\\"of\\\":\\\"words", "\\\"of\\\":\\\"wards", "list of sources"},
    {"\\\"name\\\":\\\"groups", "\\\"name\\\":\\\"wordss", "no tensor 'source.wordss"},
    {"\\\"groups\\\":", "\\\"groupz\\\":", "not described well"},
    {"\\\"kind\\\":\\\"linear", "\\\"kind\\\":\\\"groups", "of no linear source"},
    {"\"experts\":\"[{", "\"experts\":\"{{", "list of experts"},
    {"\"experts\":\"[", "\"experte\":\"[", "no 'experts'"},
};

/* The same training, with tokens a character of some scripts. */
static void give_scripts(float *learnt)
{
    struct error err = {0};
    learnt[SCRIPT_HAN] = 1.25f;
    learnt[SCRIPTS + SCRIPT_CYRILLIC] = 0.3f;
    trained->parts.predictor.scripts = learnt;
    cr_assert_eq(model_write(trained, path, &err), OK, "%s", err.text);
    buf_clear(&file);
    cr_assert_eq(file_read(path, 64u << 20, &file, NULL), OK);
}

static float *find_scripts(void)
{
    const size_t shape[] = {WORLD_EXPERTS, SCRIPTS};
    struct safetensors s;
    const void *p;
    cr_assert_eq(safetensors_open(file.ptr, file.len, "", &s, NULL), OK);
    cr_assert_eq(safetensors_get(&s, "tokens.scripts", "F32", shape, 2, &p, NULL), OK);
    return (float *)(file.ptr + ((const char *)p - file.ptr));
}

Test(model, what_characters_of_a_script_are_in_tokens_comes_back)
{
    float learnt[WORLD_EXPERTS * SCRIPTS] = {0};
    const double scripts[SCRIPTS] = {[SCRIPT_HAN] = 100, [SCRIPT_CYRILLIC] = 50};
    cr_assert_eq(str_find(header_of(), STR("tokens.scripts"), 0), SIZE_MAX, "none are learnt");
    struct model *m = load();
    double slope[WORLD_EXPERTS];
    for (size_t e = 0; e < WORLD_EXPERTS; e++) {
        slope[e] = model_tokens_per_character(m, e);
        cr_expect_float_eq(model_input_tokens(m, e, 600, scripts), 600 * slope[e], 1e-9);
        cr_expect_eq(model_script_excess(m, e, scripts), 0);
    }
    model_free(m);
    give_scripts(learnt);
    m = load();
    cr_expect_float_eq(model_input_tokens(m, 0, 600, scripts), 200 * slope[0] + 125, 1e-5);
    cr_expect_float_eq(model_input_tokens(m, 1, 600, scripts), 500 * slope[1] + 15, 1e-5);
    cr_expect_float_eq(model_input_tokens(m, 2, 600, scripts), 600 * slope[2], 1e-9);
    cr_expect_float_eq(model_script_excess(m, 0, scripts), 100 - 125, 1e-5);
    cr_expect_float_eq(model_script_excess(m, 1, scripts), 25 - 15, 1e-5);
    model_free(m);
}

/* What was trained and what was loaded say the same of a text. */
Test(model, texts_are_estimated_by_their_scripts)
{
    float learnt[WORLD_EXPERTS * SCRIPTS] = {0};
    const struct str text = STR("prove \xE4\xBA\xBA\xE7\x94\x9F lemma \xD0\x92\xD1\x81\xD0\xB5");
    struct features f = {0};
    struct estimate before[WORLD_EXPERTS], ours[WORLD_EXPERTS], theirs[WORLD_EXPERTS];
    cr_assert_eq(trained_estimate_text(trained, text, &f, before, NULL), OK);
    give_scripts(learnt);
    cr_assert_eq(trained_estimate_text(trained, text, &f, ours, NULL), OK);
    struct model *m = load();
    cr_assert_eq(model_estimate_text(m, text, &f, theirs, NULL), OK);
    const float *tokens = trained->parts.predictor.tokens + TOKENS_IN_PER_CHARACTER;
    const double more[] = {2 * (1.25 - 4 * (double)tokens[0]),
                           3 * (0.3 - 2 * (double)tokens[TOKEN_PARAMETERS]), 0};
    for (size_t e = 0; e < WORLD_EXPERTS; e++) {
        cr_expect_float_eq((double)ours[e].input_tokens, (double)before[e].input_tokens + more[e],
                           1e-4);
        cr_expect_eq(ours[e].input_tokens, theirs[e].input_tokens);
        cr_expect_eq(ours[e].cost_nano_usd, theirs[e].cost_nano_usd);
    }
    features_done(&f);
    model_free(m);
}

Test(model, damaged_tokens_of_scripts_are_refused)
{
    static const float wrong[] = {-1, 0.04f, 8.5f, 1e30f, NAN, INFINITY};
    float learnt[WORLD_EXPERTS * SCRIPTS] = {0};
    give_scripts(learnt);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        float *at = find_scripts() + i, keep = *at;
        *at = wrong[i];
        sign();
        expect_refusal(ERR_CORRUPT, "'tokens.scripts' is damaged");
        *at = keep;
    }
    expect_edit_refused("\"tokens.scripts\":{\"dtype\":\"F32\"",
                        "\"tokens.scripts\":{\"dtype\":\"U64\"", ERR_CORRUPT, "'tokens.scripts'");
    expect_edit_refused("\"shape\":[3,10]", "\"shape\":[3,11]", ERR_CORRUPT, "'tokens.scripts'");
    cr_assert_eq(load_edited(NULL), OK);
}

Test(model, sound_checksums_do_not_hide_wrong_contents)
{
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++)
        expect_edit_refused(edits[i].from, edits[i].to, ERR_CORRUPT, edits[i].words);
    cr_assert_eq(load_edited(NULL), OK);
}

/* The first tree with a node, inside the file. */
static struct tree *find_tree(void)
{
    struct safetensors s;
    const void *p;
    size_t shape[2] = {0, sizeof(struct tree)};
    cr_assert_eq(safetensors_open(file.ptr, file.len, "", &s, NULL), OK);
    cr_assert_eq(safetensors_dim(&s, "forest.trees", 2, 0, &shape[0], NULL), OK);
    cr_assert_eq(safetensors_get(&s, "forest.trees", "U8", shape, 2, &p, NULL), OK);
    struct tree *trees = (struct tree *)(file.ptr + ((const char *)p - file.ptr));
    for (size_t t = 0; t < shape[0]; t++)
        if (trees[t].nodes > 1)
            return &trees[t];
    cr_assert_fail("no tree has two nodes");
    return NULL;
}

static void expect_tree_refused(struct tree wrong)
{
    struct tree *t = find_tree(), keep = *t;
    *t = wrong;
    sign();
    expect_refusal(ERR_CORRUPT, "damaged");
    *t = keep;
}

Test(model, trees_that_lead_astray_are_refused)
{
    struct tree t = *find_tree();
    struct tree wrong = t;
    wrong.nodes = TREE_NODES_MAX + 1;
    expect_tree_refused(wrong);
    wrong = t;
    wrong.left[0] = 0; /* a circle */
    expect_tree_refused(wrong);
    wrong = t;
    wrong.right[1] = 1;
    expect_tree_refused(wrong);
    wrong = t;
    wrong.right[0] = (int8_t)t.nodes; /* beyond the last node */
    expect_tree_refused(wrong);
    wrong = t;
    wrong.left[0] = (int8_t)(-2 - t.nodes); /* beyond the last leaf */
    expect_tree_refused(wrong);
    wrong = t;
    wrong.features[0] = (uint8_t)trained->parts.predictor.features;
    expect_tree_refused(wrong);
    sign();
    cr_assert_eq(load_edited(NULL), OK);
}
