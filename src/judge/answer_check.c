/* Checks of answers: see answer_check.h. What a query says is read once, into a struct judge_check, and refused as a
 * whole where any of it is not understood; then each answer is held to it.
 *
 * A regular expression and a schema are arithmetic on texts. A command blocks the calling thread until it has ended, so
 * no event loop may call check_score. */
#include "judge/answer_check.h"

#include <string.h>

#include "judge/schema.h"
#include "judge/thought.h"

#define INPUT_BYTES_MAX (16u << 20)

static const struct str kinds[] = {STR_INIT("regex"), STR_INIT("schema"), STR_INIT("command")};

const char *check_kind_name(enum check_kind kind)
{
    return kinds[kind].ptr;
}

/* Reading */

static enum status read_argv(struct json_value list, struct arena *a, struct judge_check *ret,
                             struct error *err)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    const char **argv = ARENA_ARRAY(a, CONFINED_ARGS_MAX + 1, const char *);
    size_t count = 0;
    if (!argv)
        return error_set(err, ERR_MEMORY, "out of memory for a check");
    while (list.type == JSON_ARRAY && json_array_next(&it, &item)) {
        struct str text;
        if (count == CONFINED_ARGS_MAX || json_string_decode(item, a, &text) != OK ||
            (text.len > 0 && memchr(text.ptr, '\0', text.len)))
            return error_set(err, ERR_INPUT, "check: 'command' is a list of at most %d texts",
                             CONFINED_ARGS_MAX);
        text = arena_copy(a, text);
        if (!text.ptr)
            return error_set(err, ERR_MEMORY, "out of memory for a check");
        argv[count++] = text.ptr;
    }
    if (count == 0 || !argv[0][0])
        return error_set(err, ERR_INPUT,
                         "check: 'command' is a list: a program, then its arguments");
    ret->argv = argv;
    return OK;
}

static enum status read_value(struct json_value value, struct arena *a, struct judge_check *ret,
                              struct error *err)
{
    struct str expression;
    if (ret->kind == CHECK_COMMAND)
        return read_argv(value, a, ret, err);
    if (ret->kind == CHECK_SCHEMA) {
        ret->schema = value;
        return schema_read(value, err);
    }
    if (json_string_decode(value, a, &expression) != OK)
        return error_set(err, ERR_INPUT, "check: 'regex' is a text");
    return pattern_create(expression, a, &ret->pattern, err);
}

enum status check_read(struct str raw, struct arena *a, struct judge_check *ret, struct error *err)
{
    struct json_value root, key, value, more, its_value;
    struct judge_check check = {.kind = CHECK_REGEX};
    enum status status = json_parse(raw, "check", 1, &root, err);
    if (status != OK)
        return status;
    struct json_iter it = json_iter_begin(root);
    if (root.type != JSON_OBJECT || !json_object_next(&it, &key, &value))
        return error_set(err, ERR_INPUT,
                         "check: an object with one of 'regex', 'schema' and 'command'");
    const size_t kind = json_key_index(key, kinds, 3);
    if (kind == 3 || json_object_next(&it, &more, &its_value))
        return error_set(err, ERR_INPUT,
                         "check: '%.*s' is not understood; it has one of 'regex', 'schema' and "
                         "'command', and nothing else",
                         STR_FMT(json_inside(kind == 3 ? key : more)));
    check.kind = (enum check_kind)kind;
    status = read_value(value, a, &check, err);
    if (status == OK)
        *ret = check;
    return status;
}

/* Scoring */

/* What stands between the only pair of fences, else all of it. */
static struct str unfenced(struct str text)
{
    const struct str fence = STR("```");
    const size_t open = str_find(text, fence, 0);
    const size_t close = open == SIZE_MAX ? SIZE_MAX : str_find(text, fence, open + 3);
    if (close == SIZE_MAX || str_find(text, fence, close + 3) != SIZE_MAX)
        return text;
    struct str inside = str_slice(text, open + 3, close);
    (void)str_split(&inside, '\n'); /* the language's name */
    return str_trim(inside);
}

static enum status score_schema(const struct judge_check *c, struct str text, struct arena *a,
                                float *ret, struct error *err)
{
    struct json_value value;
    bool valid = false;
    enum status status = OK;
    if (json_parse(text, "answer", 1, &value, NULL) == OK ||
        json_parse(unfenced(text), "answer", 1, &value, NULL) == OK)
        status = schema_valid(c->schema, value, a, &valid, err);
    if (status == OK)
        *ret = valid;
    return status;
}

static void write_input(const struct query *q, struct str answer, struct buf *out)
{
    buf_add(out, STR("{\"question\":"));
    json_write_string(out, q->prompt);
    buf_add(out, STR(",\"answer\":"));
    json_write_string(out, answer);
    buf_add(out, STR(",\"reference\":"));
    if (q->answer.len > 0)
        json_write_string(out, q->answer);
    else
        buf_add(out, STR("null"));
    buf_add(out, STR("}\n"));
}

/* A last line with a number counts with exit 0; an exit of 1 is wrong whatever was said. */
static enum status read_end(const struct judge_check *c, const struct confined_end *end,
                            struct str output, float *ret, struct error *err)
{
    double score;
    struct str line = str_trim(output);
    if (end->timed_out)
        return error_set(err, ERR_TIMEOUT, "'%s' took too long: no score", c->argv[0]);
    if (end->output_cut)
        return error_set(err, ERR_UPSTREAM, "'%s' said too much: no score", c->argv[0]);
    if (end->signal)
        return error_set(err, ERR_UPSTREAM, "'%s' was ended by signal %d: no score", c->argv[0],
                         end->signal);
    if (end->exit_code > 1)
        return error_set(err, ERR_UPSTREAM,
                         "'%s' ended with %d, and not with 0 (right) or 1 (wrong): no score",
                         c->argv[0], end->exit_code);
    for (size_t at; (at = str_find(line, STR("\n"), 0)) != SIZE_MAX;)
        line = str_slice(line, at + 1, line.len);
    const bool said = str_to_double(str_trim(line), &score) == OK;
    if (end->exit_code == 0 && said && !(score >= 0 && score <= 1))
        return error_set(err, ERR_UPSTREAM, "'%s' says %g, and not 0 to 1: no score", c->argv[0],
                         score);
    *ret = end->exit_code == 1 ? 0 : said ? (float)score : 1;
    return OK;
}

static enum status score_command(const struct judge_check *c, const struct query *q,
                                 struct str answer, const struct confined_limits *limits,
                                 float *ret, struct error *err)
{
    struct buf input, output;
    struct confined_end end;
    buf_init(&input, INPUT_BYTES_MAX);
    buf_init(&output, 2 * CONFINED_OUTPUT_BYTES);
    write_input(q, answer, &input);
    enum status status = buf_status(&input, err);
    if (status == OK)
        status = confined_run(c->argv, buf_str(&input), limits, &output, &end, err);
    if (status == OK)
        status = read_end(c, &end, buf_str(&output), ret, err);
    buf_done(&input);
    buf_done(&output);
    return status;
}

enum status check_score(const struct judge_check *c, const struct query *q, struct str response,
                        bool allow_commands, const struct confined_limits *limits, struct arena *a,
                        float *ret, struct error *err)
{
    const struct str answer = str_trim(judge_behind_thought(response));
    bool found = false;
    enum status status = OK;
    switch (c->kind) {
    case CHECK_REGEX:
        status = pattern_find(c->pattern, answer, &found, err);
        if (status == OK)
            *ret = found;
        return status;
    case CHECK_SCHEMA:
        return score_schema(c, answer, a, ret, err);
    case CHECK_COMMAND:
        if (allow_commands)
            return score_command(c, q, answer, limits, ret, err);
        return error_set(err, ERR_FORBIDDEN,
                         "its check runs the command '%s'; say --allow-commands to let it",
                         c->argv[0]);
    }
    return ERR_UNSUPPORTED;
}
