/* The top level of leeroo.yaml as rows, and the life of a struct config. The experts and policies sections are in
 * config_sections.c, checks that need more than one key in config_check.c.
 *
 * Loading reads a file and the environment, so it is done at the start and by the thread that reloads, never on an
 * event loop. After config_bind a configuration never changes, and any thread may read it; config_free wipes its keys
 * and must come after the last reader. */
#include "config/config.h"

#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "config/config_int.h"

#define CONFIG_ARENA_BYTES_MAX (64u << 20)
#define DAY_MS                 86400000.0
#define ROWS(table)            (table), sizeof(table) / sizeof((table)[0])

struct raw { /* the top level before the sections that need each other are read */
    struct config config;
    const struct yaml_tree *listen, *experts, *policies, *embedders, *default_policy, *reference,
        *ledger, *aliases, *keep, *encoders, *orchestrator;
};

static enum status read_limits(struct conf_reader *r, const struct conf_row *row,
                               const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"body", conf_read_bytes, offsetof(struct config_limits, body_bytes), false, 1024, 1 << 30},
        {"bodies", conf_read_bytes, offsetof(struct config_limits, bodies_bytes), false, 1024,
         1e12},
        {"body_time", conf_read_ms, offsetof(struct config_limits, body_time_ms), false, 1000,
         DAY_MS},
        {"body_rate", conf_read_bytes, offsetof(struct config_limits, body_rate), false, 1,
         1 << 30},
        {"header", conf_read_bytes, offsetof(struct config_limits, header_bytes), false, 1024,
         1 << 20},
        {"answer", conf_read_bytes, offsetof(struct config_limits, answer_bytes), false, 1024,
         1 << 30},
        {"connections", conf_read_u32, offsetof(struct config_limits, connections), false, 1, 1e6},
    };
    return conf_read_map(r, value, row->key, ROWS(rows), into, NULL, err);
}

static enum status read_drain(struct conf_reader *r, const struct conf_row *row,
                              const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"delay", conf_read_ms, offsetof(struct config_drain, delay_ms), false, 0, DAY_MS},
        {"timeout", conf_read_ms, offsetof(struct config_drain, timeout_ms), false, 0, DAY_MS},
    };
    return conf_read_map(r, value, row->key, ROWS(rows), into, NULL, err);
}

static enum status read_addresses(struct conf_reader *r, const struct conf_row *row,
                                  const struct yaml_tree *value, void *into, struct error *err)
{
    return conf_read_either(r, row, value, "allow", "deny", into, err);
}

static enum status read_upstream(struct conf_reader *r, const struct conf_row *row,
                                 const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"ca_file", conf_read_str, offsetof(struct config_upstream, ca_file), false, 0, 0},
        {"proxy", conf_read_bool, offsetof(struct config_upstream, proxy), false, 0, 0},
        {"private_addresses", read_addresses, offsetof(struct config_upstream, deny_private), false,
         0, 0},
        {"connections", conf_read_u32, offsetof(struct config_upstream, connections), false, 1,
         65536},
    };
    return conf_read_map(r, value, row->key, ROWS(rows), into, NULL, err);
}

/* Relative to the folder of the file, so that a configuration works from any working directory. */
enum status config_join_path(struct conf_reader *r, struct str path, const char **ret,
                             struct error *err)
{
    const char *slash = strrchr(r->place, '/');
    int folder = str_starts(path, STR("/")) || !slash ? 0 : (int)(slash - r->place) + 1;
    char *joined = arena_printf(r->arena, "%.*s%.*s", folder, r->place, STR_FMT(path));
    if (!joined)
        return config_no_memory(err);
    *ret = joined;
    return OK;
}

static enum status read_path(struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, void *into, struct error *err)
{
    struct str path = {0};
    enum status status = conf_read_str(r, row, value, &path, err);
    return status == OK ? config_join_path(r, path, into, err) : status;
}

static enum status read_auth(struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, void *into, struct error *err)
{
    static const char *const names[] = {
        [AUTH_AUTO] = "auto", [AUTH_REQUIRED] = "required", [AUTH_OFF] = "off"};
    for (size_t i = 0; value->kind == TREE_SCALAR && i < 3; i++)
        if (str_equal(value->scalar, str_from(names[i]))) {
            *(enum config_auth *)into = (enum config_auth)i;
            return OK;
        }
    return conf_fail(r, value, err, "%s must be auto, required or off", row->key);
}

static enum status read_page(struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, void *into, struct error *err)
{
    bool on = false;
    enum status status = conf_read_bool(r, row, value, &on, err);
    if (status == OK)
        *(enum config_page *)into = on ? PAGE_ON : PAGE_OFF;
    return status;
}

static enum status read_log(struct conf_reader *r, const struct conf_row *row,
                            const struct yaml_tree *value, void *into, struct error *err)
{
    bool json = false;
    enum status status = conf_read_either(r, row, value, "text", "json", &json, err);
    if (status == OK)
        *(enum log_format *)into = json ? LOG_JSON : LOG_TEXT;
    return status;
}

#define CONFIG_FIELD(field) offsetof(struct raw, config.field)

static const struct conf_row top_rows[] = {
    {"listen", config_read_node, offsetof(struct raw, listen), false, 0, 0},
    {"allow_remote", conf_read_bool, CONFIG_FIELD(allow_remote), false, 0, 0},
    {"auth", read_auth, CONFIG_FIELD(auth), false, 0, 0},
    {"keys", read_path, CONFIG_FIELD(keys_file), false, 0, 0},
    {"page", read_page, CONFIG_FIELD(page), false, 0, 0},
    {"strict_budgets", conf_read_bool, CONFIG_FIELD(strict_budgets), false, 0, 0},
    {"threads", conf_read_u32, CONFIG_FIELD(threads), false, 1, CONFIG_THREADS_MAX},
    {"model", read_path, CONFIG_FIELD(model_path), false, 0, 0},
    {"outcomes", read_path, CONFIG_FIELD(outcomes_path), false, 0, 0},
    {"runs", read_path, CONFIG_FIELD(runs_path), false, 0, 0},
    {"state_dir", read_path, CONFIG_FIELD(state_dir), false, 0, 0},
    {"limits", read_limits, CONFIG_FIELD(limits), false, 0, 0},
    {"hosts", config_read_hosts, CONFIG_FIELD(hosts), false, 0, 0},
    {"cors", config_read_cors, CONFIG_FIELD(cors), false, 0, 0},
    {"drain", read_drain, CONFIG_FIELD(drain), false, 0, 0},
    {"cache", config_read_cache, CONFIG_FIELD(cache), false, 0, 0},
    {"sessions", config_read_sessions, CONFIG_FIELD(sessions), false, 0, 0},
    {"tls", config_read_tls, CONFIG_FIELD(tls), false, 0, 0},
    {"upstream", read_upstream, CONFIG_FIELD(upstream), false, 0, 0},
    {"experts", config_read_node, offsetof(struct raw, experts), true, 0, 0},
    {"embeddings", config_read_node, offsetof(struct raw, embedders), false, 0, 0},
    {"encoders", config_read_node, offsetof(struct raw, encoders), false, 0, 0},
    {"orchestrator", config_read_node, offsetof(struct raw, orchestrator), false, 0, 0},
    {"policies", config_read_node, offsetof(struct raw, policies), false, 0, 0},
    {"aliases", config_read_node, offsetof(struct raw, aliases), false, 0, 0},
    {"default_policy", config_read_node, offsetof(struct raw, default_policy), false, 0, 0},
    {"reference", config_read_node, offsetof(struct raw, reference), false, 0, 0},
    {"ledger", config_read_node, offsetof(struct raw, ledger), false, 0, 0},
    {"keep", config_read_node, offsetof(struct raw, keep), false, 0, 0},
    {"log", read_log, CONFIG_FIELD(log_format), false, 0, 0},
    {"traces", config_read_traces, CONFIG_FIELD(traces), false, 0, 0},
};

static enum status read_listen(struct conf_reader *r, const struct yaml_tree *node,
                               struct error *err)
{
    struct config *c = r->context;
    c->listen = STR("127.0.0.1:8080");
    if (!node)
        return OK;
    enum status status = config_read_text(r, "listen", node, &c->listen, err);
    return status == OK ? config_check_listen(r, node, c, err) : status;
}

/* keys.json in state_dir, unless the file says where; what they spend is always there. */
static enum status place_keys(struct config *c, struct error *err)
{
    c->keys_path = c->keys_file;
    if (!c->state_dir)
        return OK;
    if (!c->keys_path)
        c->keys_path = arena_printf(c->arena, "%s/keys.json", c->state_dir);
    c->spend_path = arena_printf(c->arena, "%s/keys.spend", c->state_dir);
    return c->keys_path && c->spend_path ? OK : config_no_memory(err);
}

/* Where a model is published that nobody has named. */
static enum status place_model(struct conf_reader *r, struct config *c, struct error *err)
{
    c->model_given = c->model_path != NULL;
    return c->model_given ? OK : config_join_path(r, STR(CONFIG_MODEL_FILE), &c->model_path, err);
}

typedef enum status section_fn(struct conf_reader *r, const struct yaml_tree *node,
                               struct error *err);

/* The sections in their order: each may name what stands in those before it. */
static const struct section {
    section_fn *read;
    size_t node; /* in struct raw */
    /* What must have been read for it to be judged: nothing, the names of all experts, all before it. */
    enum { NEEDS_NOTHING, NEEDS_NAMES, NEEDS_ALL } needs;
} sections[] = {
    {read_listen, offsetof(struct raw, listen), NEEDS_NOTHING},
    {config_read_experts, offsetof(struct raw, experts), NEEDS_NOTHING},
    {config_read_embedders, offsetof(struct raw, embedders), NEEDS_NOTHING},
    {config_read_encoders, offsetof(struct raw, encoders), NEEDS_NOTHING},
    {config_read_orchestrator, offsetof(struct raw, orchestrator), NEEDS_ALL},
    {config_read_policies, offsetof(struct raw, policies), NEEDS_NAMES},
    {config_pick_default, offsetof(struct raw, default_policy), NEEDS_ALL},
    {config_read_aliases, offsetof(struct raw, aliases), NEEDS_ALL},
    {config_pick_reference, offsetof(struct raw, reference), NEEDS_ALL},
    {config_read_ledger, offsetof(struct raw, ledger), NEEDS_NOTHING},
    {config_read_keep, offsetof(struct raw, keep), NEEDS_NOTHING},
};

/* Where problems are gathered it goes on behind a section that is wrong, and returns the first mistake's status. */
static enum status read_sections(struct conf_reader *r, const struct raw *raw, struct error *err)
{
    struct config *c = r->context;
    enum status first = OK;
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        const struct section *s = &sections[i];
        if ((s->needs != NEEDS_NOTHING && c->names_unread) ||
            (s->needs == NEEDS_ALL && first != OK))
            continue;
        enum status status =
            s->read(r, *(const struct yaml_tree *const *)((const char *)raw + s->node), err);
        if (!conf_goes_on(r, status))
            return status;
        first = first == OK ? status : first;
    }
    return first;
}

/* One piece: the top level, paths that follow from it, sections. What is said there of the top level stands first. */
static enum status read_root(struct conf_reader *r, const struct yaml_tree *root, struct error *err)
{
    struct config *c = r->context;
    struct raw raw = {.config = *c};
    enum status top = conf_read_map(r, root, "the configuration", ROWS(top_rows), &raw, NULL, err);
    if (!conf_goes_on(r, top) || root->kind != TREE_MAP)
        return top;
    *c = raw.config;
    enum status status = place_keys(c, err);
    if (status == OK)
        status = place_model(r, c, err);
    if (status == OK)
        status = read_sections(r, &raw, err);
    return top == OK ? status : top;
}

/* One piece: the defaults of the top level. */
static struct config *config_create(const char *place)
{
    struct arena *arena = arena_create(CONFIG_ARENA_BYTES_MAX);
    struct config *c = arena ? ARENA_NEW(arena, struct config) : NULL;
    const char *copy = c ? arena_printf(arena, "%s", place) : NULL;
    if (!copy) {
        arena_free(arena);
        return NULL;
    }
    *c = (struct config){
        .arena = arena,
        .place = copy,
        .limits = {.body_bytes = 10u << 20,
                   .bodies_bytes = 256u << 20,
                   .body_time_ms = 120000,
                   .body_rate = 1024,
                   .header_bytes = 32u << 10,
                   .answer_bytes = 32u << 20,
                   .connections = 16384},
        .cors = {.max_age_ms = 600000},
        .drain = {.delay_ms = 250, .timeout_ms = 30000},
        .upstream = {.connections = 4096},
        .cache = {.entry_bytes = 1u << 20, .ttl_ms = 600000},
        .sessions = {.ttl_ms = 3600000},
    };
    return c;
}

/* How a file is read. */
struct reading {
    bool without_secrets;
    struct problems *all; /* NULL: the first mistake ends it */
};

/* With what is wrong in the order of lines, whatever the order in which it was found. */
static enum status first_of(const struct reading *how, enum status status, struct error *err)
{
    if (status == OK || !how->all)
        return status;
    (void)problems_go_on(how->all, status, err);
    problems_sort(how->all);
    return problems_first(how->all, err);
}

static enum status parse(struct str text, const char *place, const struct reading *how,
                         struct config **ret, struct error *err)
{
    struct error own = {0};
    struct config *c = config_create(place);
    if (!c)
        return config_no_memory(err);
    err = err ? err : &own;
    c->problems = how->all;
    struct conf_reader r = {c->place, c->arena, c, how->without_secrets, how->all};
    const struct yaml_tree *root = NULL;
    enum status status = yaml_tree_parse(text, c->place, c->arena, &root, err);
    if (status == OK)
        status = read_root(&r, root, err);
    status = first_of(how, status, err);
    if (status != OK) {
        config_free(c);
        return status;
    }
    CHECK(c->default_policy < c->policy_count);
    CHECK(c->reference == SIZE_MAX || c->reference < c->expert_count);
    *ret = c;
    return OK;
}

enum status config_parse(struct str text, const char *place, struct config **ret, struct error *err)
{
    return parse(text, place, &(struct reading){0}, ret, err);
}

enum status config_parse_gathering(struct str text, const char *place, struct problems *all,
                                   struct config **ret, struct error *err)
{
    return parse(text, place, &(struct reading){.all = all}, ret, err);
}

enum status config_not_found(const char *path, struct error *err)
{
    return error_set(
        err, ERR_NOT_FOUND,
        "%s: No such file or directory; `leeroo init` writes one, -c FILE names another", path);
}

static enum status load(const char *path, const struct reading *how, struct config **ret,
                        struct error *err)
{
    struct buf text;
    buf_init(&text, CONFIG_BYTES_MAX);
    enum status status = file_read(path, CONFIG_BYTES_MAX, &text, err);
    if (status == ERR_NOT_FOUND)
        status = config_not_found(path, err);
    if (status == OK)
        status = parse(buf_str(&text), path, how, ret, err);
    buf_done(&text);
    return status;
}

enum status config_load(const char *path, struct config **ret, struct error *err)
{
    return load(path, &(struct reading){0}, ret, err);
}

enum status config_gather(const char *path, struct problems *all, struct config **ret,
                          struct error *err)
{
    struct error own = {0};
    err = err ? err : &own;
    enum status status = load(path, &(struct reading){.all = all}, ret, err);
    (void)problems_go_on(all, status, err);
    return status;
}

enum status config_load_without_secrets(const char *path, struct config **ret, struct error *err)
{
    return load(path, &(struct reading){.without_secrets = true}, ret, err);
}

/* Copied into our arena, so they are ours to wipe. */
static void wipe_keys(const struct expert *experts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (experts[i].api_key.len > 0)
            explicit_bzero((void *)(uintptr_t)experts[i].api_key.ptr, experts[i].api_key.len);
}

void config_free(struct config *c)
{
    if (!c)
        return;
    config_wipe_traces(&c->traces);
    config_wipe_encoders(c);
    config_wipe_verify(c);
    wipe_keys(c->experts, c->expert_count);
    wipe_keys(c->embedders, c->embedder_count);
    arena_free(c->arena);
}

bool config_all_placed(const struct config *c)
{
    for (size_t i = 0; i < c->expert_count; i++)
        if (!c->placed || !c->placed[i])
            return false;
    return true;
}

struct pool_settings config_pool_settings(const struct config *c)
{
    CHECK(c->reference != SIZE_MAX);
    return (struct pool_settings){.experts = c->experts,
                                  .expert_count = c->expert_count,
                                  .policies = c->policies,
                                  .policy_count = c->policy_count,
                                  .aliases = c->aliases,
                                  .alias_count = c->alias_count,
                                  .default_policy = c->default_policy,
                                  .reference = c->reference,
                                  .placed = c->placed,
                                  .readers = c->readers,
                                  .reader_count = c->encoder_count};
}

enum status config_override_policy(struct config *c, const char *name, const struct policy *policy,
                                   struct error *err)
{
    const char *copy = arena_printf(c->arena, "%s", name);
    if (!copy)
        return config_no_memory(err);
    size_t index = config_policy_index(c, str_from(name));
    if (index == SIZE_MAX)
        index = c->policy_count++; /* config_read_policies left room for it */
    c->policies[index].name = str_from(copy);
    c->policies[index].policy = *policy;
    c->default_policy = index;
    return OK;
}

enum status config_no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory while reading the configuration");
}
