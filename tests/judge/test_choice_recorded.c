/* The rule for choices on the recorded texts of 33 models. Recorded choices are not in the data; what is known of them
 * is whether they were right, and, where a text says "answer is (X", that X was recorded (the first such letter is what
 * MMLU-Pro's own rule takes). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/map.h"
#include "judge/choice.h"

#define SAMPLE_EVERY  15   /* of the questions: about 640 */
#define AGREEMENT_MIN 0.98 /* of every model */

struct tally {
    const struct dataset *d;
    const struct map *ids;
    size_t expert;
    size_t stated,
        agreed; /* texts that state a letter as MMLU-Pro reads it, and where we read the same */
    size_t others, found; /* texts that state none in that way, and where we find an answer */
    size_t right, kept;   /* of them: recorded as right, and right by our rule too */
};

/* The first "answer is X" or "answer is (X"; '\0' when there is none. */
static char stated_letter(struct str text)
{
    for (size_t at = 0; (at = str_find(text, STR("answer is "), at)) != SIZE_MAX; at++) {
        size_t i = at + 10;
        i += i < text.len && text.ptr[i] == '(';
        if (i < text.len && text.ptr[i] >= 'A' && text.ptr[i] <= 'J')
            return text.ptr[i];
    }
    return '\0';
}

static enum status compare(const struct response_line *said, void *arg, struct error *err)
{
    struct tally *t = arg;
    uint32_t q;
    (void)err;
    char stated = stated_letter(said->text);
    if (!map_get(t->ids, said->id, &q) || q % SAMPLE_EVERY != 0)
        return OK;
    char letter = judge_choice(&t->d->queries[q], said->text);
    t->others += stated == '\0';
    t->found += stated == '\0' && letter != '\0';
    if (stated == '\0')
        return OK;
    const struct outcome *o = dataset_outcome(t->d, q, t->expert);
    t->stated++;
    t->agreed += letter == stated;
    if (o->known && o->score > 0.5f) {
        t->right++;
        t->kept += letter == t->d->queries[q].answer.ptr[0];
    }
    return OK;
}

static void check(const struct tally *t)
{
    const struct dataset_expert *e = &t->d->experts[t->expert];
    cr_expect_gt(t->right, 50, "%.*s has %zu right answers only", STR_FMT(e->name), t->right);
    cr_expect_geq((double)t->agreed, AGREEMENT_MIN * (double)t->stated, "%.*s: %zu of %zu",
                  STR_FMT(e->name), t->agreed, t->stated);
    cr_expect_geq((double)t->kept, AGREEMENT_MIN * (double)t->right, "%.*s: %zu of %zu right",
                  STR_FMT(e->name), t->kept, t->right);
}

/* Models that finish what they say: an answer is found in most of their other texts too. */
static void check_others(const struct tally *t)
{
    static const struct str models[] = {
        {"gpt-4o-2024-05-13", 17}, {"deepseek-coder-v2", 17}, {"deepseek-v2-chat", 16}};
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
        if (str_equal(t->d->experts[t->expert].name, models[i])) {
            cr_expect_gt(t->others, 20, "%s", models[i].ptr);
            cr_expect_gt(2 * t->found, t->others, "%s: %zu of %zu", models[i].ptr, t->found,
                         t->others);
        }
}

static struct map *ids_map(const struct dataset *d)
{
    struct map *ids = map_create(d->query_count);
    cr_assert_not_null(ids);
    for (size_t q = 0; q < d->query_count; q++)
        cr_assert_eq(map_put(ids, d->queries[q].id, (uint32_t)q), OK);
    return ids;
}

Test(choice_recorded, agrees_for_every_model)
{
    const char *data = getenv("LEEROO_DATA");
    char path[512];
    struct stat there;
    struct dataset *d = NULL;
    struct error err = {0};
    snprintf(path, sizeof(path), "%s/mmlu_pro", data ? data : "../shared/data");
    if (stat(path, &there) != 0)
        cr_skip_test("skipped: no data");
    cr_assert_eq(dataset_load(path, DATASET_ALL, &d, &err), OK, "%s", err.text);
    struct map *ids = ids_map(d);
    for (size_t e = 0; e < d->expert_count; e++) {
        struct tally t = {.d = d, .ids = ids, .expert = e};
        cr_assert_eq(responses_read(path, d->experts[e].name, compare, &t, &err), OK, "%s",
                     err.text);
        check(&t);
        check_others(&t);
    }
    map_free(ids);
    dataset_free(d);
}
