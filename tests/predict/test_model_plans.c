/* Plans to a file and back, and what is refused of a forged one. */
#include "predict/model_plans.h"

#include "train/model_describe.h"
#include "train/model_tensors.h"
#include "train/plan_world.h"

#define EXPERTS PLAN_WORLD_EXPERTS
#define BYTES   ((size_t)1 << 22)

/* Three plans over one file that holds nothing else. */
struct fixture {
    struct plan_world *world;
    struct model_parts parts; /* nothing but plans */
    struct trained_plans plans;
    struct model_expert experts[EXPERTS];
    struct buf text; /* the metadata value */
    uint64_t *bytes; /* of the file */
    size_t len;
    struct safetensors file;
};

static void put_file(struct fixture *f, const struct safetensors_item *items, size_t count)
{
    struct buf head;
    struct error err = {0};
    buf_init(&head, BYTES);
    cr_assert_eq(safetensors_header(items, count, STR("{}"), &head, &err), OK, "%s", err.text);
    for (size_t i = 0; i < count; i++)
        buf_add(&head, (struct str){items[i].bytes, safetensors_bytes(&items[i])});
    free(f->bytes);
    f->bytes = malloc(head.len + 8);
    memcpy(f->bytes, head.ptr, head.len);
    f->len = head.len;
    buf_done(&head);
    cr_assert_eq(safetensors_open(f->bytes, f->len, "test", &f->file, &err), OK, "%s", err.text);
}

/* The tensors of plans only, first the F32 ones; *ret_bytes_from: the first of the others. */
static size_t plan_items(const struct fixture *f, struct safetensors_item *items,
                         size_t *ret_bytes_from)
{
    struct model_tensor all[MODEL_TENSORS_MAX];
    size_t count, n = 0;
    cr_assert_eq(model_tensors(&f->parts, f->world->arena, all, &count, NULL), OK);
    *ret_bytes_from = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const char *name = all[i].item.name;
        if (strncmp(name, "plans.", 6) && strncmp(name, "escalation.", 11) &&
            strncmp(name, "panel.", 6))
            continue;
        if (!strcmp(all[i].item.dtype, "U8") && *ret_bytes_from == SIZE_MAX)
            *ret_bytes_from = n;
        items[n++] = all[i].item;
    }
    return n;
}

static struct fixture fixture_make(void)
{
    struct fixture f = {.world = plan_world_make(PLAN_WORLD_AGREE, 600, 10, 1)};
    struct plan_options o = {.named = "panel(weak-a,weak-b->strong);cascade(weak-b->strong);"
                                      "sequential(weak-a,weak-b,strong)",
                             .forest = plan_world_forest()};
    struct rng r;
    struct error err = {0};
    struct safetensors_item items[MODEL_TENSORS_MAX];
    size_t bytes_from;
    rng_seed(&r, 1);
    o.rng = &r;
    cr_assert_eq(train_plans(&f.world->rows, &o, f.world->arena, &f.plans, &err), OK, "%s",
                 err.text);
    for (size_t e = 0; e < EXPERTS; e++)
        f.experts[e].name = f.world->experts[e].name;
    f.parts = (struct model_parts){.experts = f.experts, .plans = f.plans.set};
    for (size_t e = 0; e < EXPERTS; e++)
        f.parts.column[e] = (uint16_t)e;
    buf_init(&f.text, BYTES);
    model_describe_plans(&f.parts, &f.text);
    cr_assert_eq(f.text.status, OK);
    size_t count = plan_items(&f, items, &bytes_from);
    cr_assert_eq(f.plans.set.panel_count, 1);
    cr_assert_eq(count, 2 + 5 * f.plans.set.escalation_count + 4 + 2 * (1 + EXPERTS));
    for (size_t i = 0; i < count; i++)
        cr_assert_str_eq(items[i].dtype, i < bytes_from ? "F32" : "U8");
    put_file(&f, items, count);
    return f;
}

static void fixture_done(struct fixture *f)
{
    trained_plans_done(&f->plans);
    plan_world_free(f->world);
    buf_done(&f->text);
    free(f->bytes);
}

static enum status read_text(struct fixture *f, struct str text, struct plan_set *s,
                             struct error *err)
{
    *err = (struct error){0};
    return model_plans_read(&f->file, text, f->experts, EXPERTS, f->world->arena, s, err);
}

static void expect_same_plan(const struct plan *a, const struct plan *b)
{
    cr_expect_eq(a->kind, b->kind);
    cr_expect_eq(a->rule, b->rule);
    cr_assert_eq(a->member_count, b->member_count);
    for (size_t i = 0; i < a->member_count; i++)
        cr_expect_eq(a->members[i], b->members[i]);
    cr_expect_eq(a->gain_per_usd, b->gain_per_usd, "to the last bit");
    cr_expect_eq(a->share, b->share);
    cr_expect_eq(a->next_cost_ratio, b->next_cost_ratio);
    cr_expect_eq(a->calls, b->calls);
    for (size_t i = 0; i < PLAN_MEMBERS_MAX; i++)
        cr_expect_eq(a->cost_ratio[i], b->cost_ratio[i]);
    cr_expect(str_equal(a->name, b->name), "%.*s, %.*s", STR_FMT(a->name), STR_FMT(b->name));
}

/* The same plans, the same estimates, the same verdicts on every row at both stages. */
Test(model_plans, what_was_written_is_read)
{
    struct fixture f = fixture_make();
    const struct plan_set *want = &f.plans.set;
    struct plan_set got;
    struct error err;
    cr_assert_eq(read_text(&f, buf_str(&f.text), &got, &err), OK, "%s", err.text);
    cr_assert_eq(got.count, want->count);
    cr_assert_eq(got.escalation_count, want->escalation_count);
    for (size_t k = 0; k < want->count; k++) {
        expect_same_plan(&got.plans[k], &want->plans[k]);
        cr_expect_eq(got.escalation_of[k], want->escalation_of[k]);
    }
    for (size_t row = 0; row < f.world->rows.rows; row++) {
        struct estimate a[PLANS_MAX], b[PLANS_MAX];
        memset(a, 0, sizeof(a));
        memset(b, 0, sizeof(b));
        plan_set_estimate(want, &f.world->estimates[row * EXPERTS], a);
        plan_set_estimate(&got, &f.world->estimates[row * EXPERTS], b);
        for (size_t k = 0; k < want->count; k++) {
            cr_assert_eq(a[k].quality, b[k].quality);
            cr_assert_eq(a[k].escalation, b[k].escalation);
            cr_assert_eq(memcmp(a[k].asked, b[k].asked, sizeof(a[k].asked)), 0);
            cr_assert_eq(a[k].cost_nano_usd, b[k].cost_nano_usd);
            for (int all = 0; all < 2; all++) {
                struct plan_state s;
                struct plan_verdict x, y;
                plan_row_state(&f.world->rows, &want->plans[k], row, all, &s);
                plan_set_verdict(want, k, &s, &x);
                plan_set_verdict(&got, k, &s, &y);
                cr_assert_eq(x.ask, y.ask);
                cr_assert_eq(x.winner, y.winner);
                for (size_t i = 0; i < want->plans[k].member_count; i++)
                    cr_assert_eq(x.trust[i], y.trust[i]);
            }
        }
    }
    fixture_done(&f);
}

Test(model_plans, no_plans_are_an_empty_list)
{
    struct fixture f = fixture_make();
    const struct model_parts none = {.experts = f.experts};
    struct plan_set s = {.count = 9};
    struct error err;
    buf_clear(&f.text);
    model_describe_plans(&none, &f.text);
    cr_expect(str_equal(buf_str(&f.text), STR("[]")));
    put_file(&f, NULL, 0);
    cr_assert_eq(read_text(&f, buf_str(&f.text), &s, &err), OK, "%s", err.text);
    cr_expect_eq(s.count, 0);
    fixture_done(&f);
}

static void expect_refusal(struct fixture *f, struct str text, const char *what)
{
    struct plan_set s = {.count = 77};
    struct error err;
    cr_expect_eq(read_text(f, text, &s, &err), ERR_CORRUPT, "%s", what);
    cr_expect(err.text[0] != '\0', "%s", what);
    cr_expect_eq(s.count, 77, "%s: outputs stay untouched on failure", what);
}

/* The text with the first `from` replaced. */
static void expect_refusal_of(struct fixture *f, const char *from, const char *to)
{
    struct str text = buf_str(&f->text);
    size_t at = str_find(text, str_from(from), 0);
    struct buf b;
    cr_assert_neq(at, SIZE_MAX, "there is no %s", from);
    buf_init(&b, BYTES);
    buf_add(&b, str_slice(text, 0, at));
    buf_add_c(&b, to);
    buf_add(&b, str_slice(text, at + strlen(from), text.len));
    expect_refusal(f, buf_str(&b), to);
    buf_done(&b);
}

Test(model_plans, a_forged_list_is_refused)
{
    static const struct {
        const char *from, *to;
    } forged[] = {
        {"\"kind\":\"panel\"", "\"kind\":\"single\""},
        {"\"kind\":\"panel\"", "\"kind\":3"},
        {"\"kind\":\"panel\"", "\"kind\":\"cascade\""}, /* three members */
        {"\"kind\":\"cascade\"", "\"kind\":\"panel\""}, /* two */
        {"\"rule\":\"trust\"", "\"rule\":\"hope\""},
        {"\"rule\":\"trust\"", "\"role\":\"trust\""},
        {"\"weak-a\"", "\"huge\""},
        {"\"weak-a\"", "\"weak-b\""}, /* twice the same */
        {"\"weak-a\"", "0"},
        {"\"members\":[", "\"members\":[\"strong\","},
        {"\"members\":[", "\"nobody\":["},
        {"\"escalation\":0", "\"escalation\":1"}, /* of another number of members */
        {"\"escalation\":0", "\"escalation\":2"}, /* no such tensors */
        {"\"escalation\":0", "\"escalation\":4"},
        {"\"escalation\":0", "\"escalation\":255"},
        {"\"escalation\":0", "\"escalation\":-1"},
        {"\"escalation\":0", "\"escalation\":0.5"},
        {"\"escalation\":0", "\"escalatiom\":0"},
        {"\"gain_per_usd\":", "\"gain_per_usd\":1e31,\"x\":"},
        {"\"gain_per_usd\":", "\"gain_per_usd\":null,\"x\":"},
        {"\"share\":", "\"share\":1.5,\"x\":"},
        {"\"share\":", "\"share\":-0.1,\"x\":"},
        {"\"next_cost_ratio\":", "\"next_cost_ratio\":-1,\"x\":"},
        {"\"next_cost_ratio\":", "\"next_cost_ratio\":\"1\",\"x\":"},
        {"\"kind\":\"sequential\"", "\"kind\":\"cascade\""},
        {"\"panel\":0", "\"panel\":1"}, /* no such tensors */
        {"\"panel\":0", "\"panel\":2"},
        {"\"panel\":0", "\"panel\":-1"},
        {"\"calls\":", "\"calls\":0.5,\"x\":"},
        {"\"calls\":", "\"calls\":3.5,\"x\":"},
        {"\"cost_ratios\":[", "\"cost_ratios\":[1,"},
        {"\"cost_ratios\":[", "\"cost_ratios\":[-"},
        {"\"cost_ratios\":[", "\"cost_ratios\":[],\"x\":["},
    };
    struct fixture f = fixture_make();
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++)
        expect_refusal_of(&f, forged[i].from, forged[i].to);
    expect_refusal(&f, STR(""), "nothing");
    expect_refusal(&f, STR("{}"), "no list");
    expect_refusal(&f, STR("[1]"), "no object");
    expect_refusal(&f, STR("[{}]"), "an empty object");
    expect_refusal(&f, STR("[{]"), "no JSON");
    fixture_done(&f);
}

/* One plan more or fewer than the heads have rows. */
Test(model_plans, the_number_of_plans_is_that_of_the_heads)
{
    struct fixture f = fixture_make();
    const char *agree = "{\"kind\":\"panel\",\"rule\":\"agree\",\"members\":[\"weak-a\",\"weak-b\","
                        "\"strong\"],\"gain_per_usd\":0,\"share\":0,\"next_cost_ratio\":1}";
    struct buf b;
    for (size_t plans = 1; plans <= PLANS_MAX + 1; plans++) {
        struct plan_set s;
        struct error err;
        buf_init(&b, BYTES);
        for (size_t k = 0; k < plans; k++)
            buf_addf(&b, "%c%s", k ? ',' : '[', agree);
        buf_add_char(&b, ']');
        enum status status = read_text(&f, buf_str(&b), &s, &err);
        cr_expect_eq(status, plans == f.plans.set.count ? OK : ERR_CORRUPT, "%zu plans", plans);
        buf_done(&b);
    }
    fixture_done(&f);
}

/* Lambdas rise, and a hurdle is no number below nothing. */
Test(model_plans, forged_numbers_of_a_panel_are_refused)
{
    struct fixture f = fixture_make();
    struct safetensors_item items[MODEL_TENSORS_MAX];
    size_t bytes_from, count = plan_items(&f, items, &bytes_from), seen = 0;
    for (size_t i = 0; i < bytes_from; i++) {
        static const float odd[] = {-1, NAN};
        float *numbers = (float *)(uintptr_t)items[i].bytes, before = numbers[1];
        if (strcmp(items[i].name, "panel.0.lambdas") && strcmp(items[i].name, "panel.0.hurdles"))
            continue;
        seen++;
        for (size_t k = 0; k < 2; k++) {
            numbers[1] = odd[k];
            put_file(&f, items, count);
            expect_refusal(&f, buf_str(&f.text), items[i].name);
        }
        numbers[1] = before;
    }
    cr_expect_eq(seen, 2);
    fixture_done(&f);
}

/* Every tensor is needed, of its own shape; every tree is looked at. */
Test(model_plans, forged_tensors_are_refused)
{
    struct fixture f = fixture_make();
    struct safetensors_item items[MODEL_TENSORS_MAX], kept;
    size_t bytes_from, count = plan_items(&f, items, &bytes_from);
    for (size_t i = 0; i < count; i++) {
        kept = items[i];
        items[i].name = "other";
        put_file(&f, items, count);
        expect_refusal(&f, buf_str(&f.text), kept.name);
        items[i] = kept;
        items[i].shape[0]--;
        put_file(&f, items, count);
        expect_refusal(&f, buf_str(&f.text), kept.name);
        items[i] = kept;
    }
    for (size_t i = bytes_from; i < count; i++) {
        struct tree *t = (struct tree *)items[i].bytes;
        struct tree before = *t;
        t->features[0] = UINT8_MAX;
        put_file(&f, items, count);
        if (before.nodes)
            expect_refusal(&f, buf_str(&f.text), "a feature that is none");
        *t = before;
        t->nodes = TREE_NODES_MAX + 1;
        put_file(&f, items, count);
        expect_refusal(&f, buf_str(&f.text), "too many nodes");
        *t = before;
    }
    put_file(&f, items, count);
    struct plan_set s;
    struct error err;
    cr_expect_eq(read_text(&f, buf_str(&f.text), &s, &err), OK, "%s", err.text);
    fixture_done(&f);
}
