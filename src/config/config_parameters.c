/* `parameters` of an expert: a map of the file becomes the JSON object that its requests are joined with.
 *
 * A plain word is what it looks like: true, false, null, a number as JSON spells it, else a text; what YAML's readers
 * do not agree on (yes, on, 0x10, .5) wants quotes or another spelling, because a mistake here changes answers and not
 * error messages. What a request is about, how it is answered and what it may cost is not a parameter. */
#include "config/config_int.h"

#include "base/json.h"
#include "expert/member_set.h"

/* How much a request costs, how it is answered, and what it is about. */
static const char *const reserved[] = {"model",
                                       "messages",
                                       "input",
                                       "prompt",
                                       "system",
                                       "stream",
                                       "tools",
                                       "n",
                                       "stream_options",
                                       "max_tokens",
                                       "tool_choice",
                                       "functions",
                                       "function_call",
                                       "max_completion_tokens",
                                       "max_output_tokens"};

static bool is_reserved(struct str name)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (str_equal(name, str_from(reserved[i])))
            return true;
    return false;
}

static enum status write_value(struct conf_reader *r, const struct yaml_tree *at, struct buf *out,
                               struct error *err);

static bool is_number(struct str s)
{
    struct json_value v;
    return json_parse(s, "number", 1, &v, NULL) == OK && v.type == JSON_NUMBER;
}

/* 1_000: a number to some readers of YAML. */
static bool is_underscored(struct str s)
{
    size_t digits = 0, marks = 0;
    for (size_t i = 0; i < s.len; i++) {
        digits += s.ptr[i] >= '0' && s.ptr[i] <= '9';
        marks += s.ptr[i] == '_';
    }
    return digits > 0 && marks > 0 && digits + marks == s.len;
}

static bool is_unclear(struct str s)
{
    static const char *const words[] = {"yes",  "no",   "on",    "off",   "true", "false",
                                        "null", ".inf", "-.inf", "+.inf", ".nan"};
    double value;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_equal_nocase(s, str_from(words[i])))
            return true;
    return str_to_double(s, &value) == OK || is_underscored(s) || str_starts(s, STR("0x")) ||
           str_starts(s, STR("0o"));
}

static enum status write_scalar(struct conf_reader *r, const struct yaml_tree *at, struct buf *out,
                                struct error *err)
{
    struct str s = at->scalar;
    bool is_word = str_equal(s, STR("true")) || str_equal(s, STR("false"));
    if (!at->quoted && (is_word || is_number(s)))
        buf_add(out, s);
    else if (!at->quoted && is_unclear(s))
        return conf_fail(r, at, err,
                         "parameters: '%.*s' may be a text or not: write \"%.*s\", or true, false, "
                         "null, a number as in JSON",
                         STR_FMT(s), STR_FMT(s));
    else
        json_write_string(out, s);
    return OK;
}

static enum status write_key(struct conf_reader *r, const struct yaml_tree *key, struct buf *out,
                             struct error *err)
{
    if (!config_member_is_plain(key->scalar))
        return conf_fail(r, key, err, "parameters: a name is up to %d plain characters",
                         MEMBER_NAME_MAX);
    json_write_string(out, key->scalar);
    buf_add_char(out, ':');
    return OK;
}

static enum status write_items(struct conf_reader *r, const struct yaml_tree *at, struct buf *out,
                               struct error *err)
{
    bool is_map = at->kind == TREE_MAP;
    enum status status = OK;
    buf_add_char(out, is_map ? '{' : '[');
    for (size_t i = 0; i < at->count && status == OK; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        if (is_map)
            status = write_key(r, &at->keys[i], out, err);
        if (status == OK)
            status = write_value(r, &at->items[i], out, err);
    }
    buf_add_char(out, is_map ? '}' : ']');
    return status;
}

/* As deep as the tree may be. */
static enum status write_value(struct conf_reader *r, const struct yaml_tree *at, struct buf *out,
                               struct error *err)
{
    if (at->kind == TREE_SCALAR)
        return write_scalar(r, at, out, err);
    if (at->kind != TREE_EMPTY)
        return write_items(r, at, out, err);
    buf_add_c(out, "null");
    return OK;
}

/* Whether `drop` and `rename` let the request have it at all. */
static enum status check_edits(struct conf_reader *r, const struct yaml_tree *key,
                               const struct expert *e, struct error *err)
{
    for (size_t i = 0; i < e->edit_count; i++) {
        const struct member_edit *edit = &e->edits[i];
        if (str_equal(edit->name, key->scalar))
            return conf_fail(r, key, err,
                             "parameters: '%.*s' is dropped or renamed as well; the expert's own "
                             "wins anyway, so take it out there",
                             STR_FMT(key->scalar));
        if (edit->as.ptr && str_equal(edit->as, key->scalar))
            return conf_fail(r, key, err, "parameters: '%.*s' is what '%.*s' is renamed to",
                             STR_FMT(key->scalar), STR_FMT(edit->name));
    }
    return OK;
}

static enum status check_names(struct conf_reader *r, const struct yaml_tree *node,
                               const struct expert *e, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; i < node->count && status == OK; i++) {
        const struct yaml_tree *key = &node->keys[i];
        if (is_reserved(key->scalar))
            return conf_fail(r, key, err, "parameters: '%.*s' is for each request to say",
                             STR_FMT(key->scalar));
        status = check_edits(r, key, e, err);
    }
    return status;
}

enum status config_read_parameters(struct conf_reader *r, const struct yaml_tree *node,
                                   struct expert *e, struct error *err)
{
    struct buf text;
    if (!node)
        return OK;
    if (node->kind != TREE_MAP || node->count == 0)
        return conf_fail(r, node, err,
                         "parameters must be a section such as {reasoning_effort: low}");
    enum status status = check_names(r, node, e, err);
    if (status != OK)
        return status;
    buf_init(&text, MEMBER_SET_BYTES_MAX);
    status = write_items(r, node, &text, err);
    if (status == OK && buf_status(&text, NULL) == ERR_TOO_LARGE)
        status = conf_fail(r, node, err, "parameters: more than %u bytes", MEMBER_SET_BYTES_MAX);
    struct str copy = status == OK ? arena_copy(r->arena, buf_str(&text)) : STR("");
    if (status == OK && !copy.ptr)
        status = config_no_memory(err);
    buf_done(&text);
    if (status == OK)
        e->parameters = copy;
    return status;
}
