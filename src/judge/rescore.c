/* Texts → answers → classes and scores: see rescore.h. Answers are read into a table of their own first, so that a
 * malformed file leaves the data set as it was.
 *
 * It changes the data set that it is given, so it belongs to the one thread that owns it, before the set is shared or
 * joined with others. It reads files and is for commands, never for the gateway. */
#include "judge/rescore.h"

#include "base/check.h"
#include "base/map.h"
#include "judge/choice.h"

#define STAGE_BYTES_MAX ((size_t)8 << 30)
#define PROGRESS_EVERY  256 /* texts */

/* One reading of responses/: which experts are read, and what was found. */
struct stage {
    struct dataset *d;
    struct arena *arena;
    struct map *ids;
    const size_t *experts; /* [count] */
    size_t count;
    enum judge_rule rule;
    struct str *answers; /* [count × query_count]; ptr NULL: there is no text */
    struct buf folded;
    judge_progress *progress;
    void *arg;
    size_t at, done; /* expert being read; texts read in all */
};

/* The one-letter answer, of static bytes. */
static struct str answer_letter(char letter)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    CHECK(letter >= 'A');
    CHECK(letter <= 'Z');
    return (struct str){&letters[letter - 'A'], 1};
}

static enum status out_of_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory");
}

/* Every expert when none is named. */
static enum status stage_experts(struct stage *s, const size_t *experts, size_t count)
{
    s->experts = experts;
    s->count = count;
    if (count > 0)
        return OK;
    size_t *all = ARENA_ARRAY(s->arena, s->d->expert_count, size_t);
    for (size_t e = 0; all && e < s->d->expert_count; e++)
        all[e] = e;
    s->experts = all;
    s->count = s->d->expert_count;
    return all || s->count == 0 ? OK : ERR_MEMORY;
}

static enum status stage_ids(struct stage *s)
{
    s->ids = map_create(s->d->query_count);
    for (size_t q = 0; s->ids && q < s->d->query_count; q++)
        if (map_put(s->ids, s->d->queries[q].id, (uint32_t)q) != OK)
            return ERR_MEMORY;
    return s->ids ? OK : ERR_MEMORY;
}

static void stage_close(struct stage *s)
{
    buf_done(&s->folded);
    map_free(s->ids);
    arena_free(s->arena);
}

/* stage_close must follow, also on failure. */
static enum status stage_open(struct stage *s, struct dataset *d, const size_t *experts,
                              size_t count, struct error *err)
{
    *s = (struct stage){.d = d, .arena = arena_create(STAGE_BYTES_MAX)};
    buf_init(&s->folded, 2 * JUDGE_ANSWER_BYTES_MAX);
    if (!s->arena || stage_experts(s, experts, count) != OK || stage_ids(s) != OK)
        return out_of_memory(err);
    size_t cells;
    if (__builtin_mul_overflow(s->count, d->query_count, &cells))
        return out_of_memory(err);
    s->answers = ARENA_ARRAY(s->arena, cells, struct str);
    return s->answers || cells == 0 ? OK : out_of_memory(err);
}

/* What is kept of an answer: letters are constants, anything else is folded to lower case and single blanks. */
static enum status answer_keep(struct stage *s, struct str answer, struct str *ret,
                               struct error *err)
{
    if (answer.len == 1 && answer.ptr[0] >= 'A' && answer.ptr[0] <= 'Z') {
        *ret = answer_letter(answer.ptr[0]);
        return OK;
    }
    buf_clear(&s->folded);
    text_normalize(answer, &s->folded);
    struct str kept = arena_copy(s->d->arena, buf_str(&s->folded));
    if (buf_status(&s->folded, NULL) != OK || !kept.ptr)
        return out_of_memory(err);
    *ret = kept;
    return OK;
}

static enum status take_text(const struct response_line *said, void *arg, struct error *err)
{
    struct stage *s = arg;
    uint32_t q;
    if (!map_get(s->ids, said->id, &q))
        return OK; /* a said->text about a query that this data set does not hold */
    struct str *into = &s->answers[s->at * s->d->query_count + q];
    struct str answer;
    if (++s->done % PROGRESS_EVERY == 0 && s->progress)
        s->progress(s->done, s->count * s->d->query_count, s->arg);
    if (judge_answer_read(&s->d->queries[q], s->rule, said->text, &answer))
        return answer_keep(s, answer, into, err);
    *into = (struct str){"", 0};
    return OK;
}

static enum status read_texts(struct stage *s, struct error *err)
{
    enum status status = OK;
    for (s->at = 0; s->at < s->count; s->at++) {
        status = responses_read(s->d->path.ptr, s->d->experts[s->experts[s->at]].name, take_text, s,
                                err);
        if (status != OK)
            break; /* `at` says which expert's */
    }
    return status;
}

static struct outcome *outcome_of(struct stage *s, size_t i, size_t q)
{
    return &s->d->outcomes[q * s->d->expert_count + s->experts[i]];
}

static void put_answers(struct stage *s)
{
    for (size_t i = 0; i < s->count; i++)
        for (size_t q = 0; q < s->d->query_count; q++) {
            struct str answer = s->answers[i * s->d->query_count + q];
            outcome_of(s, i, q)->answer = answer.ptr ? answer : (struct str){"", 0};
        }
    s->d->has_answers = s->d->has_answers || s->count == s->d->expert_count;
}

/* Classes */

/* The class of row[e] among the answers before it: that of the first it agrees with, else a new one. */
static void words_class(struct outcome *row, size_t e, uint16_t *count)
{
    for (size_t before = 0; before < e; before++)
        if (row[before].answer_class && judge_answers_agree(row[before].answer, row[e].answer)) {
            row[e].answer_class = row[before].answer_class;
            return;
        }
    row[e].answer_class = ++*count;
}

/* Nearly every answer to a query with choices is a letter already; a column `answer` may also say "(B)". */
static char answer_choice(const struct query *query, struct str answer)
{
    if (query->choice_count == 0 || answer.len == 0)
        return '\0';
    if (answer.len == 1) {
        char letter = answer.ptr[0];
        if (letter >= 'a' && letter <= 'z')
            letter = (char)(letter - 'a' + 'A');
        if (letter >= 'A' && (uint32_t)(letter - 'A') < query->choice_count)
            return letter;
    }
    return judge_choice(query, answer);
}

void judge_row_classes(const struct query *query, struct outcome *row, size_t experts)
{
    uint16_t count = QUERY_CHOICES_MAX;
    for (size_t e = 0; e < experts; e++) {
        struct str answer = row[e].answer;
        char letter = answer_choice(query, answer);
        row[e].answer_class = letter ? (uint16_t)(letter - 'A' + 1) : 0;
        if (!letter && answer.len > 0)
            words_class(row, e, &count);
    }
}

static void put_classes(struct dataset *d)
{
    for (size_t q = 0; q < d->query_count; q++)
        judge_row_classes(&d->queries[q], d->outcomes + q * d->expert_count, d->expert_count);
}

static enum status no_answers(const struct stage *s, struct error *err)
{
    CHECK(s->at < s->count);
    size_t e = s->experts[s->at];
    return error_set(err, ERR_NOT_FOUND,
                     "no answers: %.*s has neither a column 'answer' in outcomes.csv nor "
                     "responses/%.*s.jsonl; record the texts, or leave this expert out",
                     STR_FMT(s->d->path), STR_FMT(s->d->experts[e].name));
}

enum status judge_answers_fill(struct dataset *d, const size_t *experts, size_t count,
                               judge_progress *progress, void *arg, struct error *err)
{
    struct stage s;
    enum status status = OK;
    if (!d->has_answers) {
        status = stage_open(&s, d, experts, count, err);
        s.progress = progress;
        s.arg = arg;
        if (status == OK)
            status = read_texts(&s, err);
        if (status == ERR_NOT_FOUND)
            status = no_answers(&s, err);
        if (status == OK)
            put_answers(&s);
        stage_close(&s);
    }
    if (status == OK)
        put_classes(d);
    return status;
}

/* Scores */

static void score_cell(struct stage *s, size_t i, size_t q, struct judge_figures *f)
{
    struct str answer = s->answers[i * s->d->query_count + q], key = s->d->queries[q].answer;
    struct outcome *o = outcome_of(s, i, q);
    if (s->d->queries[q].check.len > 0)
        return; /* its own check scores it: rescore_checks.h */
    const bool was_known = o->known;
    const double was = (double)o->score;
    o->known = answer.ptr && key.len > 0;
    o->present = o->present || answer.ptr;
    o->score = o->known && answer.len > 0 && judge_answers_agree(answer, key);
    o->method = STR(""); /* what was said of the old score */
    o->confidence = 0;
    f->texts += answer.ptr != NULL;
    f->unanswered += answer.ptr && answer.len == 0;
    if (!o->known)
        return;
    f->scored++;
    f->judged += (double)o->score;
    if (!was_known)
        return;
    f->compared++;
    f->recorded += was;
    f->agreement += (was >= 0.5) == (o->score > 0);
}

static double mean(double sum, size_t count)
{
    return count > 0 ? sum / (double)count : 0;
}

static void put_scores(struct stage *s, struct judge_figures *ret)
{
    for (size_t i = 0; i < s->count; i++) {
        struct judge_figures f = {.expert = s->experts[i]};
        CHECK(f.expert < s->d->expert_count);
        for (size_t q = 0; q < s->d->query_count; q++)
            score_cell(s, i, q, &f);
        f.judged = mean(f.judged, f.scored);
        f.recorded = mean(f.recorded, f.compared);
        f.agreement = mean(f.agreement, f.compared);
        ret[i] = f;
    }
}

static enum status keys_check(const struct dataset *d, struct error *err)
{
    for (size_t q = 0; q < d->query_count; q++)
        if (d->queries[q].answer.len > 0 || d->queries[q].check.len > 0)
            return OK;
    return error_set(err, ERR_INPUT,
                     "%.*s/queries.jsonl: no query has an 'answer' or a 'check' to judge by",
                     STR_FMT(d->path));
}

enum status judge_rescore(struct dataset *d, const size_t *experts, size_t count,
                          enum judge_rule rule, judge_progress *progress, void *arg,
                          struct judge_figures *ret, struct error *err)
{
    struct stage s;
    enum status status = keys_check(d, err);
    if (status != OK)
        return status;
    status = stage_open(&s, d, experts, count, err);
    s.rule = rule;
    s.progress = progress;
    s.arg = arg;
    if (status == OK)
        status = read_texts(&s, err);
    if (status == OK) {
        put_scores(&s, ret);
        put_answers(&s);
        put_classes(d);
    }
    stage_close(&s);
    return status;
}
