/* Questions of files: whatever people call their parts, what cannot be used is named by file and line and counted. */
#include "pose/question_file.h"

#include "posing.h"
#include <stdlib.h>
#include <unistd.h>

struct read {
    struct arena *arena;
    struct question_list list;
    struct question_file_result result;
    struct told told;
    struct error err;
    enum status status;
};

static struct read *read_file(const char *text)
{
    struct read *r = calloc(1, sizeof(*r));
    char path[] = "/tmp/leeroo-questions-XXXXXX";
    struct drop_sink sink = {&r->told, told_drop};
    r->arena = test_arena();
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    r->status = question_file_read(path, "f1", r->arena, &sink, &r->list, &r->result, &r->err);
    unlink(path);
    return r;
}

static void done(struct read *r)
{
    arena_free(r->arena);
    free(r);
}

#define ASSERT_STR(s, c_string)                                                                    \
    cr_assert(str_equal((s), str_from(c_string)), "'%.*s' is not '%s'", STR_FMT(s), c_string)

Test(question_file, a_data_set_s_own_lines)
{
    struct read *r =
        read_file("{\"id\":\"a\",\"text\":\"Which?\",\"choices\":[\"x\",\"y\"],\"answer\":"
                  "\"B\",\"task\":\"t\",\"domain\":\"law\",\"check\":{\"regex\":\"y\"}}\n");
    cr_assert_eq(r->status, OK, "%s", r->err.text);
    cr_assert_eq(r->list.count, 1);
    const struct posed *p = &r->list.items[0];
    ASSERT_STR(p->query.id, "a");
    ASSERT_STR(p->query.answer, "B");
    ASSERT_STR(p->query.task, "t");
    ASSERT_STR(p->query.domain, "law");
    ASSERT_STR(p->query.check, "{\"regex\":\"y\"}");
    ASSERT_STR(p->query.prompt, "Which?\nA. x\nB. y");
    cr_assert_eq(p->kind, POSED_CHOICE);
    cr_assert_eq(p->source, POSED_FILE);
    done(r);
}

Test(question_file, other_names_for_the_parts)
{
    struct read *r =
        read_file("\xEF\xBB\xBF{\"question\":\"Q1\",\"options\":[\"A. x\",\"B. "
                  "y\"],\"target\":\"y\",\"category\":\"art\","
                  "\"question_id\":70,\"difficulty\":\"hard\"}\n"
                  "{\"prompt\":\"Q2\",\"reference\":12.50}\n"
                  "\n"
                  "{\"messages\":[{\"role\":\"user\",\"content\":\"old\"},{\"role\":\"assistant\","
                  "\"content\":\"no\"},"
                  "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Q3\"},{\"type\":"
                  "\"image_url\"},"
                  "{\"type\":\"text\",\"text\":\"more\"}]}]}\n"
                  "{\"question\":\"Q4\",\"choices\":[\"p\",\"q\",\"r\"],\"answer\":2}\n"
                  "{\"question\":\"Q5\",\"choices\":{\"A\":\"p\",\"B\":\"q\"},\"answer\":\"b\"}\n"
                  "{\"question\":\"Q6\",\"choices\":{\"text\":[\"p\",\"q\"],\"label\":[\"A\",\"B\"]"
                  "},\"answerKey\":\"A\"}\n"
                  "{\"question\":\"Q7\",\"answer\":\"3 + 4 = <<3+4=7>>7\\n#### 7\"}\n");
    cr_assert_eq(r->status, OK, "%s", r->err.text);
    cr_assert_eq(drop_counts_sum(&r->result.dropped), 0, "%s", r->result.first.text);
    cr_assert_eq(r->list.count, 7);
    const struct posed *p = r->list.items;
    ASSERT_STR(p[0].query.id, "70");
    ASSERT_STR(p[0].query.prompt, "Q1\nA. x\nB. y");
    ASSERT_STR(p[0].query.answer, "B");
    ASSERT_STR(p[0].query.domain, "art");
    cr_assert_eq(p[0].level, 4);
    ASSERT_STR(p[1].query.id, "f1-2");
    ASSERT_STR(p[1].query.answer, "12.50");
    cr_assert_eq(p[1].kind, POSED_NUMBER);
    ASSERT_STR(p[2].query.id, "f1-4");
    ASSERT_STR(p[2].query.text, "Q3\nmore");
    ASSERT_STR(p[2].query.answer, "");
    ASSERT_STR(p[3].query.answer, "C");
    ASSERT_STR(p[4].query.answer, "B");
    ASSERT_STR(p[5].query.answer, "A");
    ASSERT_STR(p[6].query.answer, "7");
    done(r);
}

Test(question_file, plain_lines)
{
    struct read *r = read_file("What is 2 + 2?\t4\n\n  Why is the sky blue?  \r\n");
    cr_assert_eq(r->status, OK, "%s", r->err.text);
    cr_assert_eq(r->list.count, 2);
    ASSERT_STR(r->list.items[0].query.text, "What is 2 + 2?");
    ASSERT_STR(r->list.items[0].query.answer, "4");
    ASSERT_STR(r->list.items[1].query.text, "Why is the sky blue?");
    ASSERT_STR(r->list.items[1].query.answer, "");
    ASSERT_STR(r->list.items[1].query.id, "f1-3");
    cr_assert_eq(r->list.items[1].kind, POSED_OPEN);
    done(r);
    r = read_file("Why?\t\n\tbecause\n");
    cr_assert_eq(r->list.count, 1);
    cr_assert_eq(r->result.dropped.of[DROP_FIELD_MISSING], 1, "an answer without its question");
    done(r);
}

Test(question_file, what_cannot_be_used_is_counted_and_the_rest_read)
{
    struct read *r = read_file("{\"text\":\"good\"}\n"
                               "{\"text\":\"broken\"\n"
                               "{\"title\":\"no text\"}\n"
                               "{\"text\":{\"a\":1}}\n"
                               "{\"text\":\"  \"}\n"
                               "{\"text\":\"c\",\"choices\":[\"x\"]}\n"
                               "{\"text\":\"d\",\"choices\":[\"x\",\"\"]}\n"
                               "{\"text\":\"e\",\"choices\":[\"x\",\"y\"],\"answer\":\"z\"}\n"
                               "{\"text\":\"f\",\"choices\":[\"x\",\"y\"],\"answer\":5}\n"
                               "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"}]}\n"
                               "[1]\n"
                               "{\"text\":\"also good\",\"choices\":[\"x\",\"x\"]}\n");
    cr_assert_eq(r->status, OK, "%s", r->err.text);
    cr_assert_eq(r->list.count, 2);
    cr_assert_eq(r->result.dropped.of[DROP_MALFORMED], 2);
    cr_assert_eq(r->result.dropped.of[DROP_FIELD_MISSING], 2);
    cr_assert_eq(r->result.dropped.of[DROP_FIELD_WRONG], 2);
    cr_assert_eq(r->result.dropped.of[DROP_CHOICES], 2);
    cr_assert_eq(r->result.dropped.of[DROP_NOT_A_CHOICE], 2);
    cr_assert_eq(drop_counts_sum(&r->result.dropped), 10);
    cr_assert_eq(r->told.count, 10);
    cr_assert_str_eq(r->told.texts[0], "{\"text\":\"broken\"");
    cr_assert_eq(r->result.first.line, 2);
    cr_assert(strstr(r->result.first.text, ":2:"), "%s", r->result.first.text);
    done(r);
}

/* A line end in an id would tear a row of outcomes.csv. */
Test(question_file, an_id_that_no_table_takes_is_no_id)
{
    char text[1024] =
        "{\"id\":\"a\\nb\",\"text\":\"One?\"}\n{\"id\":\"a\\u0000\",\"text\":\"Two?\"}\n{\"id\":\"";
    size_t len = strlen(text);
    memset(text + len, 'i', QUERY_ID_BYTES_MAX + 1);
    strcpy(text + len + QUERY_ID_BYTES_MAX + 1,
           "\",\"text\":\"Three?\"}\n{\"id\":\"=a,\\\"b\\\"\",\"text\":\"Four?\"}\n");
    struct read *r = read_file(text);
    cr_assert_eq(r->status, OK, "%s", r->err.text);
    cr_assert_eq(r->list.count, 4);
    ASSERT_STR(r->list.items[0].query.id, "f1-1");
    ASSERT_STR(r->list.items[1].query.id, "f1-2");
    ASSERT_STR(r->list.items[2].query.id, "f1-3");
    ASSERT_STR(r->list.items[3].query.id, "=a,\"b\"");
    done(r);
}

Test(question_file, a_check_that_cannot_be_read_is_found_before_it_is_paid_for)
{
    struct read *r = read_file("{\"text\":\"One?\",\"check\":{\"regex\":\"((\"}}\n"
                               "{\"text\":\"Two?\",\"check\":7}\n"
                               "{\"text\":\"Three?\",\"check\":{\"regex\":\"a\"}}\n");
    cr_assert_eq(r->status, OK, "%s", r->err.text);
    cr_assert_eq(r->list.count, 1);
    cr_assert_eq(r->result.dropped.of[DROP_FIELD_WRONG], 2);
    cr_assert(strstr(r->result.first.text, ":1:") && strstr(r->result.first.text, "expression"));
    done(r);
}

Test(question_file, nothing_to_read_is_an_error_with_its_place)
{
    struct read *r = read_file("{\"text\":1.5e}\n");
    cr_assert_eq(r->status, ERR_INPUT);
    cr_assert(strstr(r->err.text, ":1:"), "%s", r->err.text);
    done(r);
    r = read_file("\n\n");
    cr_assert_eq(r->status, ERR_INPUT);
    cr_assert(strstr(r->err.text, "holds no question"), "%s", r->err.text);
    done(r);
    static const char *const lists[] = {"[{\"text\":\"a\"}]\n", " [ \t{\"text\":\"a\"}]",
                                        "[\n{}\n]"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        r = read_file(lists[i]);
        cr_assert_eq(r->status, ERR_INPUT, "%s", lists[i]);
        cr_assert(strstr(r->err.text, "jq -c"), "%s", r->err.text);
        done(r);
    }
    r = calloc(1, sizeof(*r));
    r->arena = test_arena();
    cr_assert_eq(question_file_read("/nowhere/questions", "f1", r->arena, NULL, &r->list,
                                    &r->result, &r->err),
                 ERR_NOT_FOUND);
    done(r);
}
