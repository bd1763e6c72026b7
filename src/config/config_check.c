/* Checks of leeroo.yaml that go beyond one value's form: addresses and URLs, names, and what only the model can answer
 * (its experts, prices and plans).
 *
 * They run while a configuration is still being made, in the thread that makes it. Each complaint names the place, also
 * when it is found after the tree has been read, so places are kept in the configuration. */
#include <string.h>

#include "base/check.h"
#include "base/name.h"
#include "config/config_int.h"
#include "encode/tokenizer.h"
#include "plan/plan_filter.h"

static bool is_loopback(struct str host)
{
    return host.len == 0 || str_starts(host, STR("127.")) ||
           str_equal_nocase(host, STR("localhost")) || str_equal(host, STR("[::1]"));
}

enum status config_check_listen(const struct conf_reader *r, const struct yaml_tree *at,
                                struct config *c, struct error *err)
{
    static const char right[] = "HOST:PORT, like 127.0.0.1:8080 or [::1]:8080";
    const char *colon = memrchr(c->listen.ptr, ':', c->listen.len);
    if (!colon)
        return conf_fail(r, at, err, "listen must be %s, not '%.*s'", right, STR_FMT(c->listen));
    size_t host_len = (size_t)(colon - c->listen.ptr);
    uint64_t port = 0;
    if (str_to_uint64(str_slice(c->listen, host_len + 1, c->listen.len), &port) != OK ||
        port > 65535)
        return conf_fail(r, at, err, "listen must be %s, not '%.*s'", right, STR_FMT(c->listen));
    c->remote = !is_loopback(str_slice(c->listen, 0, host_len));
    if (c->remote && !c->allow_remote)
        return conf_fail(r, at, err,
                         "listen: '%.*s' can be reached from other machines; listen on 127.0.0.1, "
                         "or add `allow_remote: true`, and make keys with `leeroo keys create`",
                         STR_FMT(c->listen));
    return OK;
}

const char *config_url_mistake(struct str url)
{
    struct str rest = url;
    if (str_starts(rest, STR("https://")))
        rest = str_slice(rest, 8, rest.len);
    else if (str_starts(rest, STR("http://")))
        rest = str_slice(rest, 7, rest.len);
    else
        return "it must start with http:// or https://";
    for (size_t i = 0; i < rest.len; i++)
        if (rest.ptr[i] <= ' ' || rest.ptr[i] == 127 || (unsigned char)rest.ptr[i] >= 128)
            return "it holds blanks, control characters or letters outside ASCII";
    if (memchr(rest.ptr, '?', rest.len) || memchr(rest.ptr, '#', rest.len))
        return "it must be the base, without ? and #";
    size_t slash = str_find(rest, STR("/"), 0);
    struct str authority = str_slice(rest, 0, slash == SIZE_MAX ? rest.len : slash);
    if (memchr(authority.ptr, '@', authority.len))
        return "it must not hold credentials; use api_key: env:NAME";
    if (authority.len == 0 || authority.ptr[0] == ':')
        return "it names no host";
    return NULL;
}

enum status config_check_base(const struct conf_reader *r, const struct yaml_tree *at,
                              struct str url, struct error *err)
{
    static const char *const endings[] = {"/chat/completions", "/completions", "/embeddings",
                                          "/messages",         "/responses",   "/models"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        struct str end = str_from(endings[i]);
        if (url.len > end.len && str_equal(str_slice(url, url.len - end.len, url.len), end))
            return conf_fail(r, at, err,
                             "url: it must be the base, without %s, which is added by itself: %.*s",
                             endings[i], (int)(url.len - end.len), url.ptr);
    }
    return OK;
}

/* The URL itself is left out of the message where it may hold a password. */
enum status config_check_url(const struct conf_reader *r, const struct yaml_tree *at,
                             struct str *url, struct error *err)
{
    const char *mistake = config_url_mistake(*url);
    if (mistake)
        return conf_fail(r, at, err, "url: %s; right is, for example, https://api.openai.com/v1",
                         mistake);
    while (url->len > 0 && url->ptr[url->len - 1] == '/')
        url->len--;
    return OK;
}

enum status config_check_expert_name(const struct conf_reader *r, const struct yaml_tree *at,
                                     const struct config *c, struct str name, struct error *err)
{
    const char *mistake = expert_name_mistake(name);
    if (mistake)
        return conf_fail(r, at, err, "name: '%.*s' %s", (int)(name.len < 60 ? name.len : 60),
                         name.ptr, mistake);
    size_t other = expert_index(c->experts, c->expert_count, name);
    if (other != SIZE_MAX)
        return conf_fail(r, at, err, "expert '%.*s' is listed twice (first on line %zu)",
                         STR_FMT(name), c->origins[other].line);
    return OK;
}

enum status config_check_policy_name(const struct conf_reader *r, const struct yaml_tree *at,
                                     struct error *err)
{
    if (!name_is_plain(at->scalar, false))
        return conf_fail(r, at, err,
                         "a policy's name must be at most %d letters, digits and . _ - : @ +, not "
                         "'%.*s'",
                         NAME_BYTES_MAX, (int)(at->scalar.len < 60 ? at->scalar.len : 60),
                         at->scalar.ptr);
    return OK;
}

static enum status unknown_expert(const struct config *c, size_t index, const struct model *m,
                                  struct error *err)
{
    struct buf known;
    buf_init(&known, 256);
    for (size_t i = 0; i < model_expert_count(m); i++)
        buf_addf(&known, "%s%.*s", i ? ", " : "", STR_FMT(model_expert_at(m, i)->name));
    enum status status =
        error_set_at(err, ERR_INPUT, c->place, c->origins[index].line, c->origins[index].column,
                     "the model %s has no estimates for expert '%.*s'; it knows %s%s",
                     c->model_path, STR_FMT(c->experts[index].name),
                     known.ptr ? known.ptr : "nobody", known.status == OK ? "" : ", ...");
    buf_done(&known);
    return status;
}

/* Experts of the model that the policy may ask, into use[model_arm_count]. */
static void policy_experts(const struct config *c, const struct route_policy *p,
                           const struct model *m, bool *use)
{
    for (size_t i = 0; i < c->expert_count; i++) {
        size_t index = model_expert_index(m, c->experts[i].name);
        CHECK(index < MODEL_ARMS_MAX);
        use[index] = !p->use || p->use[i];
    }
}

/* A plan that is named must exist with all its members: a policy that silently lacks it would surprise. */
static enum status check_pattern(const struct config *c, const struct route_policy *p,
                                 struct config_place at, struct str pattern, const struct model *m,
                                 struct error *err)
{
    bool use[MODEL_ARMS_MAX] = {false};
    struct error why = {0};
    policy_experts(c, p, m, use);
    if (plan_filter_apply(m, pattern, use, &why) != OK)
        return error_set_at(err, ERR_INPUT, c->place, at.line, at.column, "plans: %s", why.text);
    if (str_find(pattern, STR("("), 0) == SIZE_MAX)
        return OK;
    for (size_t i = model_expert_count(m); i < model_arm_count(m); i++)
        if (use[i])
            return OK;
    return error_set_at(err, ERR_INPUT, c->place, at.line, at.column,
                        "plans: an expert of '%.*s' is not listed under experts, or not one of "
                        "policy '%.*s'",
                        STR_FMT(pattern), STR_FMT(p->name));
}

static enum status check_plans(const struct config *c, size_t policy, const struct model *m,
                               struct error *err)
{
    const struct route_policy *p = &c->policies[policy];
    struct str rest = p->plans;
    enum status status = OK;
    for (size_t i = 0; rest.len > 0 && status == OK; i++) {
        struct str pattern = str_split(&rest, ';');
        status = check_pattern(c, p, c->plan_places[policy][i], pattern, m, err);
    }
    return status;
}

static size_t most_expensive_expert(const struct config *c)
{
    size_t best = 0;
    for (size_t i = 1; i < c->expert_count; i++)
        if (c->experts[i].price.output_nano_usd_per_m >
            c->experts[best].price.output_nano_usd_per_m)
            best = i;
    return best;
}

static bool is_checked(const struct config *c, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (c->experts[k].tokenizer && !strcmp(c->experts[k].tokenizer, c->experts[i].tokenizer))
            return true;
    return false;
}

/* Opened here for the complaint with its place; the pool opens its own. */
static enum status check_tokenizer(const struct config *c, size_t i, struct error *err)
{
    struct tokenizer *t = NULL;
    struct error why = {0};
    if (!c->experts[i].tokenizer || is_checked(c, i))
        return OK;
    enum status status = tokenizer_open(c->experts[i].tokenizer, &t, &why);
    tokenizer_free(t);
    if (status == OK)
        return OK;
    return error_set_at(err, status, c->place, c->origins[i].line, c->origins[i].column,
                        "expert '%.*s': tokenizer: %s", STR_FMT(c->experts[i].name), why.text);
}

/* Plans name experts by what the model knows, so that all must be known first. */
static enum status check_known(const struct config *c, const struct model *m, struct error *err)
{
    for (size_t i = 0; i < c->expert_count; i++)
        if (model_expert_index(m, c->experts[i].name) == SIZE_MAX &&
            !problems_go_on(c->problems, unknown_expert(c, i, m, err), err))
            return err->status;
    return problems_first(c->problems, err);
}

/* One piece: what must be right before the next can be judged; where problems are gathered, all of a kind are told. */
enum status config_bind(struct config *c, const struct model *m, struct error *err)
{
    struct error own = {0};
    err = err ? err : &own;
    enum status status = check_known(c, m, err);
    if (status == OK)
        status = config_price(c, m, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < c->expert_count; i++) {
        status = check_tokenizer(c, i, err);
        if (!problems_go_on(c->problems, status, err))
            return status;
    }
    if (c->reference == SIZE_MAX)
        c->reference = most_expensive_expert(c);
    for (size_t i = 0; i < c->policy_count; i++) {
        status = check_plans(c, i, m, err);
        if (!problems_go_on(c->problems, status, err))
            return status;
    }
    config_bind_verify(c);
    return problems_first(c->problems, err);
}
