/* Recorded answers are found by prompt, and what is not recorded is not invented. */
#include "rehearse/recorded_source.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64];
static struct recorded *recorded;
static struct arena *arena;
static struct error err;

static void put(const char *file, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    FILE *f = fopen(path, "w");
    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

static void setup(void)
{
    char path[128];
    snprintf(folder, sizeof(folder), "/tmp/leeroo-recorded-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/responses", folder);
    mkdir(path, 0700);
    put("queries.jsonl", "{\"id\":\"q1\",\"text\":\"What is it?\",\"choices\":[\"yes\",\"no\"]}\n"
                         "{\"id\":\"q2\",\"text\":\"What is it?\",\"choices\":[\"no\",\"yes\"]}\n"
                         "{\"id\":\"q3\",\"text\":\"Why  not?\"}\n"
                         "{\"id\":\"q4\",\"text\":\"why not?\"}\n"
                         "{\"id\":\"q5\",\"text\":\"Alone?\",\"choices\":[\"x\"]}\n");
    put("experts.csv", "model,usd_per_m_input,usd_per_m_output\nbig,1,2\nsmall,1,2\nmute,1,2\n");
    put("outcomes.csv", "id,model,score,cost_usd,input_tokens,output_tokens\n"
                        "q1,big,1,0.1,7,9\nq3,big,1,0.1,,\n");
    put("responses/big.jsonl", "{\"id\":\"q1\",\"text\":\"The \\\"first\\\".\\n\"}\n"
                               "{\"id\":\"q2\",\"text\":\"second\"}\n"
                               "{\"id\":\"elsewhere\",\"text\":\"?\"}\n"
                               "{\"id\":\"q3\",\"text\":\"12345678\xc3\xa9\"}\n"
                               "{\"id\":\"q5\",\"text\":\"\"}\n");
    put("responses/small.jsonl", "{\"id\":\"q4\",\"text\":\"of the twin\"}\n");
    arena = arena_create(1 << 20);
}

static void teardown(void)
{
    static const char *const files[] = {"queries.jsonl",
                                        "experts.csv",
                                        "outcomes.csv",
                                        "responses/big.jsonl",
                                        "responses/small.jsonl",
                                        "responses",
                                        "."};
    recorded_free(recorded);
    arena_free(arena);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        remove(path);
    }
    remove(folder);
}

TestSuite(recorded, .init = setup, .fini = teardown);

static void open_all(void)
{
    cr_assert_eq(recorded_open(folder, NULL, &recorded, &err), OK, "%s", err.text);
}

static enum status ask(size_t expert, const char *prompt, struct rehearse_answer *ret)
{
    struct rehearse_source s = recorded_source(recorded);
    return s.ops->answer(s.self, expert, str_from(prompt), arena, ret, &err);
}

Test(recorded, experts_with_a_file)
{
    open_all();
    struct rehearse_source s = recorded_source(recorded);
    cr_assert_eq(s.ops->expert_count(s.self), 2);
    cr_assert(str_equal(s.ops->expert_name(s.self, 1), STR("small")));
    cr_assert_eq(recorded_response_count(recorded), 5);
}

Test(recorded, found_by_normalised_prompt)
{
    struct rehearse_answer a;
    open_all();
    cr_assert_eq(ask(0, "  WHAT is\n it?\nA. yes\nB. no ", &a), OK, "%s", err.text);
    cr_assert(str_equal(a.text, STR("The \"first\".\n")));
    cr_assert_eq(a.input_tokens, 7);
    cr_assert_eq(a.output_tokens, 9);
    cr_assert_eq(ask(0, "What is it?\nA. no\nB. yes", &a), OK);
    cr_assert(str_equal(a.text, STR("second")));
}

Test(recorded, bare_text_where_unambiguous)
{
    struct rehearse_answer a;
    open_all();
    cr_assert_eq(ask(0, "alone?", &a), OK);
    cr_assert_eq(a.text.len, 0);
    cr_assert_eq(ask(0, "What is it?", &a), ERR_NOT_FOUND);
    cr_assert(strstr(err.text, "choices"));
}

Test(recorded, twins_share_answers)
{
    struct rehearse_answer a;
    open_all();
    cr_assert_eq(ask(0, "why not?", &a), OK);
    cr_assert_eq(a.output_tokens, 3); /* 9 characters / 4, rounded up: none recorded */
    cr_assert_eq(ask(1, "Why not?", &a), OK);
    cr_assert(str_equal(a.text, STR("of the twin")));
}

Test(recorded, nothing_is_invented)
{
    struct rehearse_answer a;
    open_all();
    cr_assert_eq(ask(0, "Who?", &a), ERR_NOT_FOUND);
    cr_assert_eq(ask(1, "alone?", &a), ERR_NOT_FOUND);
    cr_assert(strstr(err.text, "small"));
}

Test(recorded, chosen_experts)
{
    cr_assert_eq(recorded_open(folder, "small", &recorded, &err), OK);
    struct rehearse_source s = recorded_source(recorded);
    cr_assert_eq(s.ops->expert_count(s.self), 1);
    struct recorded *other = NULL;
    cr_assert_eq(recorded_open(folder, "mute", &other, &err), ERR_NOT_FOUND);
    cr_assert(strstr(err.text, "mute"));
    cr_assert_eq(recorded_open(folder, "nobody", &other, &err), ERR_NOT_FOUND);
}

Test(recorded, no_responses_at_all)
{
    char path[128];
    struct recorded *other = NULL;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/responses/%s.jsonl", folder, i ? "small" : "big");
        remove(path);
    }
    cr_assert_eq(recorded_open(folder, NULL, &other, &err), ERR_NOT_FOUND);
    cr_assert(strstr(err.text, "nothing to replay"));
    cr_assert_eq(recorded_open("/nonexistent", NULL, &other, &err), ERR_NOT_FOUND);
}
