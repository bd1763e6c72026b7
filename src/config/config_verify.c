/* The key `verify` of a policy: the check that answers are held to (verify/verify.h). Which keys belong to which kind,
 * how paths are meant, and what a check is called where nobody has named it.
 *
 * On the thread that loads the configuration. Nothing is run or asked here (`leeroo check` does), but it is looked
 * which words of a command are files, because a command starts in a folder of its own. */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_int.h"

#define ROWS(table)    (table), sizeof(table) / sizeof((table)[0])
#define MEMORY_MIN     ((double)(16u << 20))
#define MEMORY_MAX     1e12
#define RUBRIC_BYTES   16384
#define SECONDS_MAX_MS 600000
/* An expert that judges is asked some hundred words and the answer, and says a few. */
#define JUDGE_INPUT_TOKENS  1500
#define JUDGE_OUTPUT_TOKENS 100

struct raw_verify {
    struct verify_settings
        settings; /* its key is wiped with the configuration: see config_read_verify */
    const struct yaml_tree *command, *files, *name, *http, *key;
    struct str expert, rubric;
    bool schema;
    uint32_t cpu_ms;
};

#define RAW(field)      offsetof(struct raw_verify, field)
#define SETTINGS(field) offsetof(struct raw_verify, settings.field)

/* The first four say which kind it is, in the order of enum verify_kind; the others may be of some kinds only. */
enum {
    ROW_COMMAND,
    ROW_HTTP,
    ROW_SCHEMA,
    ROW_EXPERT,
    KIND_ROWS,
    ROW_KEY = KIND_ROWS,
    ROW_RUBRIC,
    ROW_FILES,
    ROW_CPU,
    ROW_MEMORY,
    ROW_WORKERS,
    ROW_QUEUE,
    ROW_TIMEOUT,
    ROW_PRICE
};

static const struct conf_row verify_rows[] = {
    [ROW_COMMAND] = {"command", config_read_node, RAW(command), false, 0, 0},
    [ROW_HTTP] = {"http", config_read_node, RAW(http), false, 0, 0},
    [ROW_SCHEMA] = {"schema", conf_read_bool, RAW(schema), false, 0, 0},
    [ROW_EXPERT] = {"expert", conf_read_str, RAW(expert), false, 0, 0},
    [ROW_KEY] = {"key", config_read_node, RAW(key), false, 0, 0},
    [ROW_RUBRIC] = {"rubric", conf_read_str, RAW(rubric), false, 0, 0},
    [ROW_FILES] = {"files", config_read_node, RAW(files), false, 0, 0},
    [ROW_CPU] = {"cpu", conf_read_ms, RAW(cpu_ms), false, 1000, SECONDS_MAX_MS},
    [ROW_MEMORY] = {"memory", conf_read_bytes, SETTINGS(memory_bytes), false, MEMORY_MIN,
                    MEMORY_MAX},
    [ROW_WORKERS] = {"workers", conf_read_u32, SETTINGS(workers), false, 1, VERIFY_WORKERS_MAX},
    [ROW_QUEUE] = {"queue", conf_read_u32, SETTINGS(queue), false, 0, VERIFY_QUEUE_MAX},
    [ROW_TIMEOUT] = {"timeout", conf_read_ms, SETTINGS(timeout_ms), false, 1,
                     VERIFY_TIMEOUT_MS_MAX},
    [ROW_PRICE] = {"price", conf_read_usd, SETTINGS(price_nano_usd), false, 0, 0},
    {"false_pass", conf_read_real, SETTINGS(false_pass), false, 0, 1},
    {"false_alarm", conf_read_real, SETTINGS(false_alarm), false, 0, 1},
    {"strict", conf_read_bool, SETTINGS(strict), false, 0, 0},
    {"name", config_read_node, RAW(name), false, 0, 0},
};

#define OF(kind)   (1u << (kind))
#define OF_COMMAND OF(VERIFY_COMMAND)

static const struct {
    int row;
    unsigned kinds;
    const char *whose;
} belongings[] = {
    {ROW_KEY, OF(VERIFY_HTTP), "an http check"},
    {ROW_RUBRIC, OF(VERIFY_EXPERT), "an expert"},
    {ROW_FILES, OF_COMMAND, "a command"},
    {ROW_CPU, OF_COMMAND, "a command"},
    {ROW_MEMORY, OF_COMMAND, "a command"},
    {ROW_WORKERS, OF_COMMAND, "a command"},
    {ROW_QUEUE, OF_COMMAND, "a command"},
    {ROW_TIMEOUT, OF_COMMAND | OF(VERIFY_HTTP) | OF(VERIFY_EXPERT), "a command, http or an expert"},
    {ROW_PRICE, OF_COMMAND | OF(VERIFY_HTTP) | OF(VERIFY_SCHEMA),
     "commands, services and schemas: an expert's calls have its own prices"},
};

/* What it is called */

/* As a header and a ledger take it. */
static bool is_label(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] == 127 || (unsigned char)name.ptr[i] >= 128)
            return false;
    return name.len > 0 && name.len <= VERIFY_NAME_BYTES_MAX;
}

static enum status make_label(struct conf_reader *r, const char *kind, struct str what,
                              struct str *ret, struct error *err)
{
    char *label = arena_printf(r->arena, "%s:%.*s", kind, STR_FMT(what));
    if (!label)
        return config_no_memory(err);
    size_t len = 0;
    for (; label[len] && len < VERIFY_NAME_BYTES_MAX; len++)
        if (label[len] <= ' ' || label[len] == 127 || (unsigned char)label[len] >= 128)
            label[len] = '_';
    *ret = (struct str){label, len};
    return OK;
}

static struct str last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return str_from(slash && slash[1] ? slash + 1 : path);
}

static struct str host_of(const char *url)
{
    struct str rest = str_from(strstr(url, "://") + 3);
    return str_split(&rest, '/');
}

static enum status name_it(struct conf_reader *r, const struct raw_verify *raw, struct str file,
                           struct verify_settings *s, struct error *err)
{
    if (raw->name) {
        s->name = raw->name->kind == TREE_SCALAR ? raw->name->scalar : STR("");
        if (is_label(s->name))
            return OK;
        return conf_fail(r, raw->name, err,
                         "name must be at most %d letters, digits and signs of ASCII, without "
                         "blanks, such as tests",
                         VERIFY_NAME_BYTES_MAX);
    }
    switch (s->kind) {
    case VERIFY_COMMAND:
        return make_label(r, "command", file, &s->name, err);
    case VERIFY_HTTP:
        return make_label(r, "http", host_of(s->url), &s->name, err);
    case VERIFY_EXPERT:
        return make_label(r, "expert", s->expert, &s->name, err);
    default:
        s->name = STR("schema");
        return OK;
    }
}

/* Commands */

struct words { /* of a list, NULL-terminated */
    const char *list[VERIFY_WORDS_MAX + 1];
    size_t count;
};

static enum status keep_words(struct conf_reader *r, const struct words *w, const char *const **ret,
                              struct error *err)
{
    const char **kept = ARENA_ARRAY(r->arena, w->count + 1, const char *);
    if (!kept)
        return config_no_memory(err);
    memcpy(kept, w->list, w->count * sizeof(*kept));
    *ret = kept;
    return OK;
}

static enum status check_list(const struct conf_reader *r, const struct yaml_tree *node,
                              const char *key, const char *right, struct error *err)
{
    if (node->kind != TREE_LIST || node->count == 0)
        return conf_fail(r, node, err, "%s must be a list like %s, not %s", key, right,
                         node->kind == TREE_LIST ? "an empty one" : yaml_tree_kind_name(node));
    if (node->count > VERIFY_WORDS_MAX)
        return conf_fail(r, node, err, "%s: %zu items; at most %d are possible", key, node->count,
                         VERIFY_WORDS_MAX);
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_tree *item = &node->items[i];
        if (item->kind != TREE_SCALAR || memchr(item->scalar.ptr, '\0', item->scalar.len))
            return conf_fail(r, item, err, "%s must be a list of texts like %s, not of %s", key,
                             right, yaml_tree_kind_name(item));
    }
    return OK;
}

/* Whole, for a command starts in a folder of its own. */
static enum status join_whole(struct conf_reader *r, struct str word, const char **ret,
                              struct error *err)
{
    char here[PATH_MAX];
    enum status status = config_join_path(r, word, ret, err);
    if (status != OK || **ret == '/')
        return status;
    if (!getcwd(here, sizeof(here)))
        return error_set_errno(err, ERR_IO, errno, "verify: cannot tell which folder this is");
    *ret = arena_printf(r->arena, "%s/%s", here, *ret);
    return *ret ? OK : config_no_memory(err);
}

/* A program with a slash, and whatever else names a file in the folder of the configuration, means that one. A file is
 * readable by the command, too; a folder only where `files` says so. */
static enum status read_word(struct conf_reader *r, struct str word, bool is_program,
                             struct words *command, struct words *files, struct error *err)
{
    struct stat info;
    const char *path = NULL;
    const char *plain = arena_printf(r->arena, "%.*s", STR_FMT(word));
    if (!plain)
        return config_no_memory(err);
    enum status status = join_whole(r, word, &path, err);
    if (status != OK)
        return status;
    const bool slash = strchr(plain, '/') != NULL;
    const bool may_be_file = is_program ? slash : *plain && *plain != '-';
    const bool is_there = may_be_file && stat(path, &info) == 0;
    const bool is_file = is_there && S_ISREG(info.st_mode);
    command->list[command->count++] = is_there || (is_program && slash) ? path : plain;
    if (is_file && files->count < VERIFY_WORDS_MAX)
        files->list[files->count++] = path;
    return OK;
}

static enum status read_files(struct conf_reader *r, const struct yaml_tree *node,
                              struct words *files, struct error *err)
{
    enum status status = check_list(r, node, "files", "[tests, data/words.txt]", err);
    for (size_t i = 0; status == OK && i < node->count; i++) {
        struct stat info;
        const char *path = NULL;
        status = join_whole(r, node->items[i].scalar, &path, err);
        if (status != OK)
            return status;
        if (files->count == VERIFY_WORDS_MAX)
            return conf_fail(r, node, err, "files: at most %d are possible", VERIFY_WORDS_MAX);
        if (stat(path, &info) != 0)
            return conf_fail(
                r, &node->items[i], err,
                "files: there is no '%s'; paths are meant from the folder of this file", path);
        files->list[files->count++] = path;
    }
    return status;
}

/* One piece: the words, the files among them, and those that are named beside. */
static enum status read_command(struct conf_reader *r, const struct raw_verify *raw,
                                struct verify_settings *s, struct str *ret_file, struct error *err)
{
    static const char right[] = "[python3, check.py]";
    struct words command = {0}, files = {0};
    enum status status = check_list(r, raw->command, "command", right, err);
    if (status == OK && raw->command->items[0].scalar.len == 0)
        status =
            conf_fail(r, raw->command, err, "command must begin with a program, like %s", right);
    for (size_t i = 0; status == OK && i < raw->command->count; i++)
        status = read_word(r, raw->command->items[i].scalar, i == 0, &command, &files, err);
    if (status != OK)
        return status;
    *ret_file = last_part(files.count ? files.list[0] : command.list[0]);
    if (raw->files)
        status = read_files(r, raw->files, &files, err);
    if (status == OK)
        status = keep_words(r, &command, &s->command, err);
    if (status == OK && files.count)
        status = keep_words(r, &files, &s->files, err);
    s->cpu_s = raw->cpu_ms ? (raw->cpu_ms + 999) / 1000 : s->cpu_s;
    return status;
}

/* The other kinds */

static enum status read_http(struct conf_reader *r, const struct raw_verify *raw,
                             struct verify_settings *s, struct error *err)
{
    static const struct conf_row row = {.key = "key"};
    struct str url = {0};
    enum status status = config_read_text(r, "http", raw->http, &url, err);
    if (status != OK)
        return status;
    const char *mistake = config_url_mistake(url);
    if (mistake)
        return conf_fail(r, raw->http, err,
                         "http: %s; right is, for example, http://127.0.0.1:9000/check", mistake);
    s->url = arena_printf(r->arena, "%.*s", STR_FMT(url));
    if (!s->url)
        return config_no_memory(err);
    return raw->key ? conf_read_secret(r, &row, raw->key, &s->key, err) : OK;
}

static enum status read_expert(struct conf_reader *r, const struct yaml_tree *node,
                               const struct raw_verify *raw, struct verify_settings *s,
                               struct error *err)
{
    const struct config *c = r->context;
    s->expert = raw->expert;
    s->expert_index = expert_index(c->experts, c->expert_count, raw->expert);
    s->rubric = raw->rubric;
    if (s->expert_index == SIZE_MAX)
        return conf_fail(r, node, err, "verify: no expert '%.*s' is listed under experts",
                         STR_FMT(raw->expert));
    if (s->rubric.len > RUBRIC_BYTES)
        return conf_fail(r, node, err, "rubric: %zu bytes; at most %d are possible", s->rubric.len,
                         RUBRIC_BYTES);
    return OK;
}

/* Which kind */

static const struct yaml_tree *value_of(const struct yaml_tree *node, const char *key)
{
    size_t i = 0;
    while (!str_equal(node->keys[i].scalar, str_from(key)))
        i++;
    return &node->items[i];
}

static enum status find_kind(struct conf_reader *r, const struct yaml_tree *node,
                             enum verify_kind *ret, struct error *err)
{
    enum verify_kind kind = VERIFY_NONE;
    size_t count = 0;
    if (node->kind != TREE_MAP)
        return conf_fail(r, node, err,
                         "verify must be a section like {command: [python3, check.py]}, not %s",
                         yaml_tree_kind_name(node));
    for (size_t k = 0; k < node->count; k++)
        for (size_t i = 0; i < KIND_ROWS; i++)
            if (str_equal(node->keys[k].scalar, str_from(verify_rows[i].key))) {
                kind = (enum verify_kind)(VERIFY_COMMAND + i);
                count++;
            }
    if (count != 1)
        return conf_fail(r, node, err,
                         "verify must have exactly one of command, http, schema and expert");
    *ret = kind;
    return OK;
}

static enum status check_belongings(struct conf_reader *r, const struct yaml_tree *node,
                                    enum verify_kind kind, uint64_t seen, struct error *err)
{
    for (size_t i = 0; i < sizeof(belongings) / sizeof(*belongings); i++) {
        const char *key = verify_rows[belongings[i].row].key;
        if (seen >> belongings[i].row & 1u && !(belongings[i].kinds & OF(kind)))
            return conf_fail(r, value_of(node, key), err, "%s is of %s; leave it out", key,
                             belongings[i].whose);
    }
    return OK;
}

/* One piece: a kind, its keys, what is usual where they say nothing, its name. The key is read into where it is wiped
 * from. */
enum status config_read_verify(struct conf_reader *r, const struct yaml_tree *node,
                               struct verify_settings *ret, struct error *err)
{
    struct raw_verify raw = {0};
    enum verify_kind kind = VERIFY_NONE;
    struct str file = STR("");
    uint64_t seen = 0;
    enum status status = find_kind(r, node, &kind, err);
    if (status != OK)
        return status;
    raw.settings = verify_settings_usual(kind);
    status = conf_read_map(r, node, "verify", ROWS(verify_rows), &raw, &seen, err);
    if (status == OK)
        status = check_belongings(r, node, kind, seen, err);
    if (status != OK)
        return status;
    *ret = raw.settings;
    if (kind == VERIFY_COMMAND)
        status = read_command(r, &raw, ret, &file, err);
    else if (kind == VERIFY_HTTP)
        status = read_http(r, &raw, ret, err);
    else if (kind == VERIFY_EXPERT)
        status = read_expert(r, value_of(node, "expert"), &raw, ret, err);
    else if (!raw.schema)
        status = conf_fail(r, node, err, "schema must be true; without a check leave verify out");
    if (status == OK && ret->false_pass + ret->false_alarm >= 1)
        status = conf_fail(r, node, err,
                           "false_pass and false_alarm together must be below 1: such a check says "
                           "nothing, or the opposite");
    return status == OK ? name_it(r, &raw, file, ret, err) : status;
}

void config_wipe_verify(struct config *c)
{
    for (size_t i = 0; c->verify && i <= c->policy_count; i++) /* the last may be half read */
        if (c->verify[i].key.len)
            explicit_bzero((void *)(uintptr_t)c->verify[i].key.ptr, c->verify[i].key.len);
}

void config_bind_verify(struct config *c)
{
    for (size_t i = 0; c->verify && i < c->policy_count; i++) {
        const struct verify_settings *s = &c->verify[i];
        struct route_policy *p = &c->policies[i];
        p->verifies = s->kind != VERIFY_NONE;
        p->strict = s->strict;
        p->check = (struct verified_check){.false_pass = (float)s->false_pass,
                                           .false_alarm = (float)s->false_alarm,
                                           .price_nano_usd = s->price_nano_usd};
        if (s->kind == VERIFY_EXPERT)
            p->check.price_nano_usd = price_cost_nano_usd(&c->experts[s->expert_index].price,
                                                          JUDGE_INPUT_TOKENS, JUDGE_OUTPUT_TOKENS);
    }
}
