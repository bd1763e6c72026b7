/* A round's questions: a generator emits good, malformed, duplicate, contaminated and unanswerable items, and there are
 * experts that are or are not of one mind: each item is handled, counted, named, and the round again pays nothing. */
#include "play/questions.h"

#include "../base/temp.h"
#include "base/log.h"
#include "net/net_test.h"

enum { GENERATOR, ONE, TWO, EXPERTS };

static struct test_server *upstream;
static atomic_int asked, made;
static int64_t spend_nano_usd; /* of a round, for making questions up */
static bool refuse;            /* the generator answers nothing */
static int reply_tokens;       /* that a reply is said to have */
static char urls[EXPERTS][64], journal[160];
static struct expert experts[EXPERTS];
static struct calls *calls;
static struct questions *questions;
static struct temp temp;
static struct question_round got;

/* The generator's questions. `fragment` finds them in what is asked; the rest is what answers to it say. */
static const struct {
    const char *fragment, *again, *one, *two;
} knowledge[] = {
    {"largest moon of Saturn", "The answer is B.", "The answer is B.", "The answer is A."},
    {"17 * 23", "So the answer is 391.", "The answer is 391.", "The answer is 381."},
    {"first woman to win", "Marie Curie", "The answer is Marie Curie.", "The answer is Bertha."},
    {"colour has the sky", "The answer is blue.", "The answer is blue.", "Blue"},
    {"grains of sand", "This cannot be answered.", "The answer is 7.", "The answer is 8."},
    {"boiling point", "The answer is A.", "The answer is A.", "The answer is B."},
};

/* Two replies: what the first request brings, and what every other does. */
static const char mixed[] =
    "Sure! Here are they:\\n```json\\n["
    /* g1-1, good */
    "{\\\"question\\\":\\\"Which is the largest moon of "
    "Saturn?\\\",\\\"kind\\\":\\\"choice\\\",\\\"choices\\\":[\\\"Rhea\\\",\\\"Titan\\\"],"
    "\\\"reference\\\":\\\"Titan\\\",\\\"rationale\\\":\\\"By diameter.\\\",\\\"difficulty\\\":2},"
    /* malformed */
    "{\\\"question\\\":\\\"Broken\\\" \\\"reference\\\":\\\"1\\\"},"
    /* no reference among the choices */
    "{\\\"question\\\":\\\"Which "
    "letter?\\\",\\\"choices\\\":[\\\"p\\\",\\\"q\\\"],\\\"reference\\\":\\\"r\\\"},"
    /* g1-2, good */
    "{\\\"question\\\":\\\"What is 17 * 23?\\\",\\\"kind\\\":\\\"number\\\",\\\"reference\\\":391},"
    /* g1-3, contaminated: one word is another */
    "{\\\"question\\\":\\\"Which chemical element has the symbol Au in the periodic table of "
    "elements?\\\","
    "\\\"kind\\\":\\\"short\\\",\\\"reference\\\":\\\"gold\\\"},"
    /* given away */
    "{\\\"question\\\":\\\"Who wrote Hamlet? The answer is "
    "Shakespeare.\\\",\\\"kind\\\":\\\"short\\\",\\\"reference\\\":\\\"Shakespeare\\\"},"
    /* g1-4, duplicate of g1-1 */
    "{\\\"question\\\":\\\"Which is the  LARGEST moon of "
    "Saturn?\\\",\\\"kind\\\":\\\"choice\\\",\\\"choices\\\":[\\\"Rhea\\\",\\\"Titan\\\"],"
    "\\\"reference\\\":\\\"B\\\"},"
    /* g1-5, unanswerable */
    "{\\\"question\\\":\\\"How many grains of sand are there in a "
    "heap?\\\",\\\"kind\\\":\\\"number\\\",\\\"reference\\\":\\\"10000\\\"},"
    /* g1-6, all say the same */
    "{\\\"question\\\":\\\"Which colour has the sky at "
    "noon?\\\",\\\"kind\\\":\\\"short\\\",\\\"reference\\\":\\\"blue\\\"}"
    "]\\n```\\nI hope this helps!";
static const char others[] =
    "[{\\\"question\\\":\\\"Who was the first woman to win a Nobel "
    "prize?\\\",\\\"kind\\\":\\\"short\\\",\\\"reference\\\":\\\"Marie Curie\\\"},"
    "{\\\"question\\\":\\\"At sea level, is the boiling point of water above 90 "
    "degrees?\\\",\\\"choices\\\":[\\\"yes\\\",\\\"no\\\"],"
    "\\\"reference\\\":\\\"A\\\"}]";

static const char *answer_to(struct str body, size_t expert)
{
    if (str_find(body, STR("You write examination questions"), 0) != SIZE_MAX) {
        atomic_fetch_add(&made, 1);
        return str_find(body, STR("Set number 1."), 0) != SIZE_MAX ? mixed : others;
    }
    for (size_t i = 0; i < sizeof(knowledge) / sizeof(knowledge[0]); i++)
        if (str_find(body, str_from(knowledge[i].fragment), 0) != SIZE_MAX)
            return expert == GENERATOR ? knowledge[i].again
                   : expert == ONE     ? knowledge[i].one
                                       : knowledge[i].two;
    return "I do not know.";
}

static void handle(struct http_exchange *x, void *arg)
{
    const struct http_header json = {STR("content-type"), STR("application/json")};
    static _Thread_local char body[16384];
    size_t expert = str_starts(x->path, STR("/one"))   ? ONE
                    : str_starts(x->path, STR("/two")) ? TWO
                                                       : GENERATOR;
    (void)arg;
    atomic_fetch_add(&asked, 1);
    if (refuse && expert == GENERATOR) {
        http_respond(x, 400, &json, 1, STR("{\"error\":{\"message\":\"no\"}}"));
        return;
    }
    snprintf(
        body, sizeof(body),
        "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},"
        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":%d}}",
        answer_to(x->body, expert), reply_tokens);
    http_respond(x, 200, &json, 1, str_from(body));
}

static void open_calls(int64_t cap_nano_usd)
{
    const struct calls_options o = {.experts = experts,
                                    .expert_count = EXPERTS,
                                    .concurrency = 4,
                                    .journal = journal,
                                    .cap_nano_usd = cap_nano_usd,
                                    .seed = 1};
    struct error err = {0};
    calls_free(calls);
    calls = NULL;
    cr_assert_eq(calls_create(&o, &calls, &err), OK, "%s", err.text);
}

static void setup(void)
{
    static const char *const names[EXPERTS] = {"generator", "one", "two"};
    log_set_level(LOG_ERROR);
    reply_tokens = 5;
    spend_nano_usd = 0;
    refuse = false;
    upstream = test_server_start(NULL, handle, NULL);
    temp_begin(&temp, "questions.txt");
    snprintf(journal, sizeof(journal), "%s/calls.jsonl", temp.folder);
    for (size_t e = 0; e < EXPERTS; e++) {
        snprintf(urls[e], sizeof(urls[e]), "http://127.0.0.1:%d/%s", upstream->port, names[e]);
        experts[e] = (struct expert){
            .name = str_from(names[e]),
            .url = str_from(urls[e]),
            .upstream_model = STR("theirs"),
            .dialect = &dialect_openai,
            .price = {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 1000000000},
            .connect_timeout_ms = 5000,
            .total_timeout_ms = 20000};
    }
    open_calls(PURSE_NO_CAP);
}

static void teardown(void)
{
    static const char *const files[] = {"calls.jsonl", "dropped.jsonl", "posed.jsonl",
                                        "questions.txt"};
    questions_free(questions);
    calls_free(calls);
    test_server_stop(upstream);
    for (size_t i = 0; i < 4; i++) {
        char path[160];
        snprintf(path, sizeof(path), "%s/%s", temp.folder, files[i]);
        unlink(path);
    }
    rmdir(temp.folder);
}

TestSuite(questions, .init = setup, .fini = teardown, .timeout = 60);

static const size_t generators[] = {GENERATOR}, cheap[] = {ONE, TWO};

static struct questions_options options(void)
{
    return (struct questions_options){.seed = 3,
                                      .folder = temp.folder,
                                      .generators = generators,
                                      .generator_count = 1,
                                      .cheap = cheap,
                                      .cheap_count = 2,
                                      .split_share = 1,
                                      .experts = experts};
}

static void create(const struct questions_options *o)
{
    struct error err = {0};
    questions_free(questions);
    questions = NULL;
    cr_assert_eq(questions_create(o, &questions, &err), OK, "%s", err.text);
}

static void run_round(size_t round, size_t count, const struct dataset *known)
{
    static const struct dataset empty;
    struct error err = {0};
    const struct questions_wanted wanted = {.round = round,
                                            .count = count,
                                            .spend_nano_usd = spend_nano_usd,
                                            .known = known ? known : &empty};
    cr_assert_eq(questions_round(questions, calls, &wanted, &got, &err), OK, "%s", err.text);
    cr_assert_eq(got.count, got.from[POSED_FILE] + got.from[POSED_TRAFFIC] +
                                got.from[POSED_GENERATED] + got.from[POSED_SANDBOX]);
}

static bool has(const char *id, const char *text)
{
    for (size_t i = 0; i < got.count; i++)
        if (str_equal(got.items[i].query.id, str_from(id)) &&
            str_find(got.items[i].query.text, str_from(text), 0) != SIZE_MAX)
            return true;
    return false;
}

/* Whether dropped.jsonl has a line with all of these. */
static bool is_dropped(const char *id, const char *reason, const char *text)
{
    char path[160], line[20000];
    snprintf(path, sizeof(path), "%s/dropped.jsonl", temp.folder);
    FILE *f = fopen(path, "r");
    bool found = false;
    cr_assert(f);
    while (!found && fgets(line, sizeof(line), f))
        found = strstr(line, id) && strstr(line, reason) && strstr(line, text);
    fclose(f);
    return found;
}

static struct dataset *one_protected(void)
{
    static struct query q = {.id = STR_INIT("exam1")};
    static struct dataset d = {.queries = &q, .query_count = 1};
    q.text = STR("Which chemical element has the symbol Au in the periodic table of the elements?");
    q.text_hash = text_hash(q.text);
    return &d;
}

Test(questions, every_item_of_a_generator_is_handled)
{
    struct questions_options o = options();
    const struct dataset *protect[] = {one_protected()};
    o.protect = protect;
    o.protect_count = 1;
    create(&o);
    run_round(1, 4, NULL);
    cr_assert(has("g1-1", "largest moon of Saturn"));
    cr_assert(has("g1-2", "17 * 23"));
    cr_assert(has("g1-7", "first woman"));
    cr_assert(has("g1-8", "boiling point"));
    cr_assert_eq(got.count, 4);
    cr_assert_eq(got.from[POSED_GENERATED], 4);
    cr_assert_eq(got.requests, 2);
    cr_assert_eq(got.failed, 0);
    cr_assert_eq(got.generated, 8);
    cr_assert_eq(got.split, 5);
    cr_assert_eq(got.unanimous, 1);
    const enum drop_reason once[] = {DROP_MALFORMED,    DROP_NOT_A_CHOICE, DROP_GIVEN_AWAY,
                                     DROP_CONTAMINATED, DROP_DUPLICATE,    DROP_DISAGREES,
                                     DROP_UNANIMOUS};
    for (size_t i = 0; i < 7; i++)
        cr_assert_eq(got.dropped.of[once[i]], 1, "%s", drop_reason_name(once[i]));
    cr_assert_eq(drop_counts_sum(&got.dropped), 7);
    cr_assert(is_dropped("\"generate/1/0\"", "\"malformed\"", "Broken"));
    cr_assert(is_dropped("\"generate/1/0\"", "not among the choices", "Which letter?"));
    cr_assert(is_dropped("\"generate/1/0\"", "given away", "Hamlet"));
    cr_assert(is_dropped("\"g1-3\"", "contaminated", "symbol Au"));
    cr_assert(is_dropped("\"g1-4\"", "duplicate", "LARGEST"));
    cr_assert(is_dropped("\"g1-5\"", "disagrees", "grains of sand"));
    cr_assert(is_dropped("\"g1-6\"", "unanimous", "colour"));
    cr_assert_eq(got.items[0].level, 2);
    cr_assert(str_equal(got.items[0].query.answer, STR("B")));
    cr_assert(str_equal(got.items[0].rationale, STR("By diameter.")));
    cr_assert_eq(questions_level(questions, STR("g1-1")), 2);
    cr_assert_eq(drop_counts_sum(questions_dropped(questions)), 7);
}

Test(questions, answers_of_the_split_are_cells_in_the_journal)
{
    struct questions_options o = options();
    struct call_result r;
    create(&o);
    run_round(1, 2, NULL);
    const struct call_job job = {
        .key = STR("cell/g1-2/two"),
        .expert = TWO,
        .system = STR("End with \"The answer is X.\", X being the number alone."),
        .user = STR("What is 17 * 23?")};
    cr_assert(calls_find(calls, &job, &r));
    cr_assert(str_equal(r.text, STR("The answer is 381.")));
}

static void read_file(const char *name, char into[16384])
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", temp.folder, name);
    FILE *f = fopen(path, "r");
    cr_assert(f);
    size_t len = fread(into, 1, 16383, f);
    into[len] = '\0';
    fclose(f);
}

Test(questions, the_round_again_brings_the_same_and_pays_nothing)
{
    static char dropped[16384], posed[16384], again[16384];
    struct questions_options o = options();
    create(&o);
    run_round(1, 4, NULL);
    struct question_round first = got;
    struct query ids[8];
    for (size_t i = 0; i < first.count; i++)
        ids[i] = first.items[i].query;
    int before = atomic_load(&asked);
    read_file("dropped.jsonl", dropped);
    read_file("posed.jsonl", posed);
    struct questions *old = questions;
    struct calls *old_calls = calls; /* the strings of `ids` are theirs */
    questions = NULL;
    calls = NULL;
    open_calls(PURSE_NO_CAP);
    create(&o);
    run_round(1, 4, NULL);
    cr_assert_eq(atomic_load(&asked), before);
    cr_assert_eq(got.count, first.count);
    for (size_t i = 0; i < got.count; i++) {
        cr_assert(str_equal(got.items[i].query.id, ids[i].id));
        cr_assert(str_equal(got.items[i].query.prompt, ids[i].prompt));
    }
    cr_assert_eq(memcmp(&got.dropped, &first.dropped, sizeof(first.dropped)), 0);
    read_file("dropped.jsonl", again);
    cr_assert_str_eq(again, dropped);
    read_file("posed.jsonl", again);
    cr_assert_str_eq(again, posed);
    questions_free(old);
    calls_free(old_calls);
}

/* The generator says the same in the second round: all of it is known, or was dropped, and nothing is checked again. */
Test(questions, nothing_comes_twice_in_later_rounds)
{
    struct questions_options o = options();
    create(&o);
    run_round(1, 4, NULL);
    struct query queries[8];
    for (size_t i = 0; i < got.count; i++)
        queries[i] = got.items[i].query;
    struct dataset known = {.queries = queries, .query_count = got.count};
    int before = atomic_load(&asked), made_before = atomic_load(&made);
    run_round(2, 4, &known);
    cr_assert_eq(got.count, 0);
    cr_assert_eq(got.dropped.of[DROP_DUPLICATE], got.generated);
    cr_assert_eq(atomic_load(&asked) - before, atomic_load(&made) - made_before);
    cr_assert_eq(got.requests, 1, "a batch that brings nothing is the last");
    struct question_round live = got;
    struct questions *old = questions;
    questions = NULL;
    before = atomic_load(&asked);
    create(&o);
    run_round(2, 4, &known);
    cr_assert_eq(memcmp(&got.dropped, &live.dropped, sizeof(live.dropped)), 0,
                 "a process that begins at round 2 knows what round 1 found out");
    cr_assert_eq(atomic_load(&asked), before);
    questions_free(old);
}

Test(questions, without_money_nothing_is_kept_unchecked)
{
    struct questions_options o = options();
    reply_tokens = 6000;
    open_calls(8000000); /* for a request, whose 6,000 tokens use most of it up */
    create(&o);
    run_round(1, 4, NULL);
    cr_assert_eq(got.count, 0);
    cr_assert_gt(got.dropped.of[DROP_UNCHECKED], 0);
    cr_assert_gt(got.failed, 0);
    cr_assert(is_dropped("\"g1-1\"", "unchecked", "used up"));
}

/* By the prices a request with its checks may cost some 10 million; by what comes back, less than one. */
Test(questions, no_more_is_made_up_than_is_to_be_spent)
{
    struct questions_options o = options();
    create(&o);
    spend_nano_usd = 5000000;
    run_round(1, 4, NULL);
    cr_assert_eq(got.requests, 0);
    cr_assert_eq(got.count, 0);
    cr_assert_eq(atomic_load(&asked), 0);
    spend_nano_usd = 15000000;
    run_round(1, 4, NULL);
    cr_assert_eq(got.count, 4);
    cr_assert_eq(got.requests, 2, "the second by what the first has cost");
    cr_assert_eq(got.cost_nano_usd, calls_purse(calls)->spent_nano_usd);
    cr_assert_leq(got.cost_nano_usd, spend_nano_usd);
}

Test(questions, a_generator_that_fails_ends_no_round)
{
    struct questions_options o = options();
    refuse = true;
    o.sandbox = true;
    create(&o);
    run_round(1, 10, NULL);
    cr_assert_eq(got.from[POSED_GENERATED], 0);
    cr_assert_eq(got.from[POSED_SANDBOX], 10, "the others make up for it");
    cr_assert_gt(got.requests, 0);
    cr_assert_eq(got.failed, got.requests);
    cr_assert_eq(drop_counts_sum(&got.dropped), 0);
}

Test(questions, traffic_passes_the_sieve)
{
    static const char *const texts[] = {"How do I undo the last commit of a branch in git?",
                                        "how do I undo the last commit of a  branch in git?",
                                        "How do I undo the last two commits of a branch in git?",
                                        "Why do cats purr?"};
    struct posed traffic[4] = {0};
    struct questions_options o = {.seed = 3, .traffic = traffic, .traffic_count = 4};
    for (size_t i = 0; i < 4; i++) {
        traffic[i].query.id = str_from(texts[i]);
        traffic[i].query.text = traffic[i].query.prompt = str_from(texts[i]);
        traffic[i].query.text_hash = text_hash(traffic[i].query.text);
    }
    create(&o);
    const struct question_source_sum *sum = questions_listed(questions, POSED_TRAFFIC);
    cr_assert_eq(sum->count, 3, "two commits are another question");
    cr_assert_eq(sum->dropped.of[DROP_DUPLICATE], 1);
    run_round(1, 5, NULL);
    cr_assert_eq(got.from[POSED_TRAFFIC], 3);
    cr_assert_eq(got.items[0].source, POSED_TRAFFIC);
}

Test(questions, files_are_sieved_once_and_taken_round_by_round)
{
    static const char text[] =
        "What is one and one?\t2\n"
        "Who was the first man in space?\n"
        "What is  one and ONE?\n"
        "\t\n"
        "Which chemical element has the symbol Au in the periodic table of elements?\n"
        "Where is the longest bridge over water in all of Europe?\n";
    const char *files[] = {temp.path};
    const struct dataset *protect[] = {one_protected()};
    struct questions_options o = {.seed = 3,
                                  .folder = temp.folder,
                                  .files = files,
                                  .file_count = 1,
                                  .protect = protect,
                                  .protect_count = 1};
    temp_write(temp.path, text, sizeof(text) - 1);
    create(&o);
    const struct question_source_sum *sum = questions_listed(questions, POSED_FILE);
    cr_assert_eq(sum->count, 3);
    cr_assert_eq(sum->dropped.of[DROP_DUPLICATE], 1);
    cr_assert_eq(sum->dropped.of[DROP_CONTAMINATED], 1);
    run_round(1, 2, NULL);
    cr_assert_eq(got.count, 2);
    cr_assert_eq(drop_counts_sum(&got.dropped), 0);
    struct query queries[2] = {got.items[0].query, got.items[1].query};
    struct dataset known = {.queries = queries, .query_count = 2};
    run_round(2, 5, &known);
    cr_assert_eq(got.count, 1, "what is left");
    cr_assert(is_dropped("\"round\":0", "duplicate", "one and ONE"));
    cr_assert(is_dropped("f1-5", "contaminated", "exam1"));
    create(&o);
    run_round(2, 5, &known);
    cr_assert_eq(got.count, 1, "and so it is for a process that begins there");
}

Test(questions, the_sandbox_fills_up_what_others_lack)
{
    static const char text[] = "What is one and one?\t2\n";
    const char *files[] = {temp.path};
    struct questions_options o = {
        .seed = 3, .folder = temp.folder, .files = files, .file_count = 1, .sandbox = true};
    temp_write(temp.path, text, sizeof(text) - 1);
    create(&o);
    run_round(1, 40, NULL);
    cr_assert_eq(got.count, 40);
    cr_assert_eq(got.from[POSED_FILE], 1);
    cr_assert_eq(got.from[POSED_SANDBOX], 39);
    for (size_t i = 0; i < got.count; i++)
        for (size_t j = 0; j < i; j++) {
            cr_assert_neq(got.items[i].query.text_hash, got.items[j].query.text_hash);
            cr_assert_not(str_equal(got.items[i].query.id, got.items[j].query.id));
        }
}

Test(questions, the_sandbox_follows_doubt_and_value)
{
    struct questions_options o = {.seed = 3, .sandbox = true};
    static const struct dataset empty;
    struct mix_cell figures[] = {{STR_INIT("words"), 0, 0.5, 0.5, 1000, 0},
                                 {STR_INIT("arithmetic"), 0, 0.01, 0.01, 1000, 0},
                                 {STR_INIT("calendar"), 0, 0.01, 0.01, 1000, 0},
                                 {STR_INIT("units"), 0, 0.01, 0.01, 1000, 0},
                                 {STR_INIT("mixed"), 0, 0.01, 0.01, 1000, 0}};
    size_t words = 0, units = 0;
    create(&o);
    const struct questions_wanted wanted = {
        .round = 1, .count = 300, .known = &empty, .figures = figures, .figure_count = 5};
    cr_assert_eq(questions_round(questions, calls, &wanted, &got, NULL), OK);
    for (size_t i = 0; i < got.count; i++) {
        words += str_equal(got.items[i].query.domain, STR("words"));
        units += str_equal(got.items[i].query.domain, STR("units"));
    }
    cr_assert_gt(words, 200);
    cr_assert_geq(units, 9, "the floor: a fifth of the round over five domains, less rounding");
    cr_assert_lt(units, 30);
}

Test(questions, nothing_to_ask_is_an_error)
{
    struct questions_options o = {.seed = 3};
    struct error err = {0};
    struct questions *none = NULL;
    cr_assert_eq(questions_create(&o, &none, &err), ERR_INPUT);
    cr_assert(strstr(err.text, "nothing to ask"), "%s", err.text);
    cr_assert_null(none);
}
