/* leeroo.yaml: what is read from it, and that every mistake names its place and the mend. */
#include "config/config.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MODEL  "model: m.leeroo\n"
#define EXPERT "experts:\n  - {name: a, url: \"http://h/v1\"}\n"

static struct config *parse(const char *text)
{
    struct config *c = NULL;
    struct error err = {0};
    setenv("LEEROO_TEST_KEY", "sk-test-123456", 1);
    enum status status = config_parse(str_from(text), "dir/leeroo.yaml", &c, &err);
    cr_assert_eq(status, OK, "%s", err.text);
    return c;
}

Test(config, defaults)
{
    struct config *c = parse(MODEL EXPERT);
    cr_assert(str_equal(c->listen, STR("127.0.0.1:8080")));
    cr_assert_str_eq(c->model_path, "dir/m.leeroo");
    cr_assert_eq(c->limits.body_bytes, 10u << 20);
    cr_assert_eq(c->policy_count, 1);
    cr_assert(str_equal(c->policies[c->default_policy].name, STR("default")));
    const struct expert *e = &c->experts[0];
    cr_assert(str_equal(e->upstream_model, STR("a")));
    cr_assert_eq(e->capabilities, EXPERT_TOOLS | EXPERT_IMAGES | EXPERT_JSON);
    cr_assert(e->retries == 2 && e->connect_timeout_ms == 5000 && e->api_key.len == 0);
    cr_assert_eq(c->origins[0].price_from, CONFIG_PRICE_UNKNOWN);
    config_free(c);
}

Test(config, model_that_nobody_names)
{
    struct config *c = parse(EXPERT);
    cr_assert(!c->model_given);
    cr_assert_str_eq(c->model_path, "dir/" CONFIG_MODEL_FILE);
    config_free(c);
    c = parse(MODEL EXPERT);
    cr_assert(c->model_given);
    config_free(c);
}

Test(config, like_another)
{
    struct config *c = parse("experts:\n  - {name: a, url: \"http://h/v1\", like: gpt-4o-mini}\n"
                             "  - {name: b, url: \"http://h/v1\"}\n");
    cr_assert(str_equal(c->origins[0].like, STR("gpt-4o-mini")));
    cr_assert_eq(c->origins[1].like.len, 0);
    config_free(c);
}

Test(config, everything)
{
    struct config *c = parse(
        "listen: '[::1]:9000'\nthreads: 3\nmodel: /abs/m\n"
        "limits: {body: 2MiB, header: 16KiB, answer: 1048576, connections: 100}\n"
        "drain: {delay: 0, timeout: 1m}\n"
        "upstream: {ca_file: /ca.pem, proxy: yes, connections: 7}\nsessions: {ttl: 5m}\n"
        "policies:\n  fast: {lambda: 12.5, experts: [b]}\n  plan: {budget: 0.5, max_cost: 0.01, "
        "max_latency: 1.5s}\n"
        "  good: {min_quality: 0.8, plans: [cascade, \"panel(a,b->c)\"]}\ndefault_policy: plan\n"
        "experts:\n"
        "  - name: a\n    url: https://h:8443/v1//\n    api_key: env:LEEROO_TEST_KEY\n"
        "    upstream_model: x/y\n    price: {cached_input: 0.0375, input: 0.075, output: "
        "\"1e-3\", cache_write: 0.1, reasoning: 2}\n    context: 8192\n"
        "    capabilities: [tools, json]\n    retries: 0\n"
        "    timeouts: {connect: 250ms, first_token: 1.5s, idle: 2000, total: 1h}\n    latency: "
        "2.5s\n"
        "  - {name: b, url: \"http://h\"}\n");
    const struct expert *e = &c->experts[0];
    cr_assert_eq(c->threads, 3);
    cr_assert_str_eq(c->model_path, "/abs/m");
    cr_assert(c->limits.body_bytes == 2u << 20 && c->limits.header_bytes == 16384 &&
              c->limits.answer_bytes == 1048576 && c->limits.connections == 100);
    cr_assert(c->drain.delay_ms == 0 && c->drain.timeout_ms == 60000);
    cr_assert_eq(c->sessions.ttl_ms, 300000);
    cr_assert(c->upstream.proxy && c->upstream.connections == 7);
    cr_assert(str_equal(e->url, STR("https://h:8443/v1")));
    cr_assert(str_equal(e->api_key, STR("sk-test-123456")));
    cr_assert(str_equal(e->upstream_model, STR("x/y")));
    cr_assert_eq(price_cached_input_nano_usd_per_m(&e->price), 37500000);
    cr_assert_eq(price_cache_write_nano_usd_per_m(&e->price), 100000000);
    cr_assert_eq(price_reasoning_nano_usd_per_m(&e->price), 2000000000);
    cr_assert(e->price.input_nano_usd_per_m == 75000000 &&
              e->price.output_nano_usd_per_m == 1000000);
    cr_assert(e->context_tokens == 8192 && e->capabilities == (EXPERT_TOOLS | EXPERT_JSON));
    cr_assert(e->connect_timeout_ms == 250 && e->first_token_timeout_ms == 1500 &&
              e->idle_timeout_ms == 2000 && e->total_timeout_ms == 3600000 && e->retries == 0);
    cr_assert(e->latency_ms == 2500 && c->experts[1].latency_ms == 0);
    cr_assert(c->origins[0].price_from == CONFIG_PRICE_CONFIGURED && c->origins[0].line == 14);
    cr_assert_eq(c->default_policy, 1);
    cr_assert(c->policies[0].policy.lambda == 12.5 && !c->policies[0].use[0] &&
              c->policies[0].use[1]);
    cr_assert(c->policies[1].policy.budget_usd_per_1k == 0.5 &&
              c->policies[1].policy.max_cost_nano_usd == 10000000);
    cr_assert(c->policies[1].policy.max_latency_ms == 1500 &&
              c->policies[0].policy.max_latency_ms == 0);
    cr_assert_eq(c->policies[2].policy.min_quality, 0.8);
    cr_assert(c->policies[1].plans.len == 0 && !c->plan_places[1]);
    cr_assert(str_equal(c->policies[2].plans, STR("cascade;panel(a,b->c)")));
    cr_assert(c->plan_places[2][0].line == 11 && c->plan_places[2][1].line == 11);
    cr_assert_lt(c->plan_places[2][0].column, c->plan_places[2][1].column);
    config_free(c);
}

struct mistake {
    const char *yaml, *message;
};

static void expect_mistakes(const struct mistake *rows, size_t count)
{
    setenv("LEEROO_TEST_KEY", "sk-test-123456", 1);
    unsetenv("LEEROO_TEST_UNSET");
    for (size_t i = 0; i < count; i++) {
        struct config *c = NULL;
        struct error err = {0};
        enum status status = config_parse(str_from(rows[i].yaml), "l.yaml", &c, &err);
        cr_expect_eq(status, ERR_INPUT, "%s", rows[i].yaml);
        cr_expect(strstr(err.text, rows[i].message), "wanted: %s\n   got: %s", rows[i].message,
                  err.text);
        cr_expect(!strchr(err.text, '\n') && !c);
    }
}
#define EXPECT_MISTAKES(rows) expect_mistakes(rows, sizeof(rows) / sizeof((rows)[0]))

Test(config, mistakes_at_the_top)
{
    static const struct mistake rows[] = {
        {"", "l.yaml:1:1: the configuration must be a section"},
        {"lisen: x\n" MODEL EXPERT,
         "l.yaml:1:1: unknown key 'lisen' in the configuration; did you mean 'listen'?"},
        {MODEL EXPERT "zzzzzz: 1\n",
         "l.yaml:4:1: unknown key 'zzzzzz' in the configuration; known are listen, "},
        {MODEL, "lacks the key 'experts'"},
        {MODEL "experts: []\n",
         "l.yaml:2:10: experts must be a list with at least one expert, not an empty one"},
        {MODEL "experts: {a: b}\n", "experts must be a list"},
        {MODEL EXPERT "threads: many\n", "l.yaml:4:10: threads must be a whole number, not 'many'"},
        {MODEL EXPERT "threads: 0\n", "threads must be between 1 and 64, not '0'"},
        {MODEL EXPERT "threads: [1]\n", "threads must be a whole number, not a list"},
        {MODEL EXPERT "threads:\n", "threads must be a whole number, not nothing"},
        {MODEL EXPERT "listen: 8080\n", "listen must be HOST:PORT"},
        {MODEL EXPERT "listen: localhost:99999\n", "listen must be HOST:PORT"},
        {MODEL EXPERT "listen: 0.0.0.0:80\n",
         "l.yaml:4:9: listen: '0.0.0.0:80' can be reached from other machines"},
        {MODEL EXPERT "allow_remote: maybe\n", "allow_remote must be true or false, not 'maybe'"},
        {MODEL EXPERT "upstream: {private_addresses: no}\n", "must be allow or deny"},
        {MODEL EXPERT "auth: optional\n", "auth must be auto, required or off"},
        {MODEL EXPERT "page: auto\n", "page must be true or false"},
        {MODEL EXPERT "auth: [off]\n", "auth must be auto, required or off"},
        {MODEL EXPERT "limits: {body: 10 parsecs}\n", "body must be a size like 64KiB"},
        {MODEL EXPERT "limits: {body: 10}\n",
         "body must be between 1024 and 1073741824 bytes, not '10'"},
        {MODEL EXPERT "drain: {timeout: soon}\n", "timeout must be a duration like 30s"},
        {MODEL EXPERT "drain: {timeout: 2d}\n", "timeout must be a duration like 30s"},
        {MODEL EXPERT "drain: {time: 2s}\n", "unknown key 'time' in drain"},
    };
    EXPECT_MISTAKES(rows);
}

#define ONE(line) MODEL "experts:\n  - name: a\n    url: http://h/v1\n    " line "\n"

Test(config, mistakes_in_experts)
{
    static const struct mistake rows[] = {
        {ONE("urll: x"), "l.yaml:5:5: unknown key 'urll' in an expert; did you mean 'url'?"},
        {ONE("apikey: x"), "did you mean 'api_key'?"},
        {ONE("api_key: sk-secret"), "l.yaml:5:14: api_key must be env:NAME"},
        {ONE("api_key: 'env:'"), "api_key must be env:NAME"},
        {ONE("api_key: env:LEEROO_TEST_UNSET"),
         "api_key: the environment variable LEEROO_TEST_UNSET is not set"},
        {ONE("price: {input: 0.6}"), "l.yaml:5:12: price lacks the key 'output'"},
        {ONE("price: {input: -1, output: 1}"), "input must be an amount in USD like 0.6, not '-1'"},
        {ONE("price: cheap"), "price must be a section"},
        {ONE("price: {cached_input: 2, input: 1, output: 1}"), "cached_input must not be above"},
        {ONE("context: 0"), "context must be between 1 and"},
        {ONE("capabilities: [tols]"),
         "l.yaml:5:20: unknown capability 'tols'; known are tools, images, json"},
        {ONE("capabilities: tools"), "capabilities must be a list"},
        {ONE("timeouts: {conect: 1s}"),
         "unknown key 'conect' in timeouts; did you mean 'connect'?"},
        {ONE("retries: 11"), "retries must be between 0 and 10"},
        {MODEL "experts:\n  - {url: \"http://h\"}\n", "l.yaml:3:5: an expert lacks the key 'name'"},
        {MODEL "experts:\n  - {name: a}\n", "lacks the key 'url'"},
        {MODEL "experts:\n  - {name: a, url: ftp://h}\n",
         "l.yaml:3:20: url: it must start with http:// or https://"},
        {MODEL "experts:\n  - {name: a, url: \"http://u:p@h\"}\n",
         "url: it must not hold credentials"},
        {MODEL "experts:\n  - {name: a, url: \"http://\"}\n", "url: it names no host"},
        {MODEL "experts:\n  - {name: a, url: \"http://h/?x=1\"}\n", "url: it must be the base"},
        {MODEL "experts:\n  - {name: a, url: \"http://h h\"}\n", "url: it holds blanks"},
        {MODEL "experts:\n  - {name: leeroo/x, url: \"http://h\"}\n",
         "is what clients ask the router by"},
        {MODEL "experts:\n  - {name: 'a b', url: \"http://h\"}\n", "name: 'a b' must be at most"},
        {MODEL "experts:\n  - {name: a, url: \"http://h\"}\n  - {name: a, url: \"http://h\"}\n",
         "l.yaml:4:12: expert 'a' is listed twice (first on line 3)"},
    };
    EXPECT_MISTAKES(rows);
}

Test(config, mistakes_in_policies)
{
    static const struct mistake rows[] = {
        {MODEL EXPERT "policies: {p: {lambda: 1, budget: 2}}\n",
         "l.yaml:4:12: policy 'p' has more than one of lambda, budget and min_quality; keep one"},
        {MODEL EXPERT "policies: {p: {lamda: 1}}\n", "did you mean 'lambda'?"},
        {MODEL EXPERT "policies: {p: {max_latency: 0}}\n", "max_latency must be between 1 and"},
        {MODEL EXPERT "policies: {p: {max_latency: soon}}\n", "max_latency must be a duration"},
        {MODEL EXPERT "policies: {p: {lambda: -1}}\n", "lambda must be between 0 and"},
        {MODEL EXPERT "policies: {p: {lambda: nan}}\n", "lambda must be a number"},
        {MODEL EXPERT "policies: {p: {min_quality: 80}}\n",
         "min_quality must be between 1e-09 and 1, not '80'"},
        {MODEL EXPERT "policies: {p: {max_cost: 0}}\n", "max_cost must be more than 0"},
        {MODEL EXPERT "policies: {p: {experts: [b]}}\n",
         "l.yaml:4:26: no expert 'b' is listed under experts"},
        {MODEL EXPERT "policies: {p: {experts: []}}\n", "experts must be a list of expert names"},
        {MODEL EXPERT "policies: {'p q': {}}\n", "a policy's name must be"},
        {MODEL EXPERT "policies: {p: {plans: }}\n",
         "plans must be all, none, cascade, panel, sequential or"},
        {MODEL EXPERT "policies: {p: {plans: \"none;all\"}}\n", "or a list of such, not this"},
        {MODEL EXPERT "policies: {p: {plans: [[none]]}}\n", "or a list of such, not a list"},
        {MODEL EXPERT "policies: {p: {plans: []}}\n", "\"none\" switches them off"},
        {MODEL EXPERT "policies: []\n", "policies must be a section"},
        {MODEL EXPERT "default_policy: p\n",
         "l.yaml:4:17: default_policy: no policy 'p' is listed"},
    };
    EXPECT_MISTAKES(rows);
}

Test(config, a_literal_key_is_not_repeated)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(config_parse(STR(ONE("api_key: sk-secret-1")), "l.yaml", &c, &err), ERR_INPUT);
    cr_assert_null(strstr(err.text, "sk-secret"));
    cr_assert_eq(config_parse(STR(ONE("api_key: [sk-secret-1]")), "l.yaml", &c, &err), ERR_INPUT);
    cr_assert_null(strstr(err.text, "sk-secret"));
}

Test(config, remote_listening_must_be_asked_for)
{
    struct config *c = parse(MODEL EXPERT "listen: 0.0.0.0:80\nallow_remote: true\n");
    cr_assert(str_equal(c->listen, STR("0.0.0.0:80")));
    config_free(c);
    config_free(parse(MODEL EXPERT "listen: ':0'\n"));
    config_free(parse(MODEL EXPERT "listen: localhost:0\n"));
}

Test(config, keys_are_in_state_dir_or_where_the_file_says)
{
    struct config *c = parse(MODEL EXPERT);
    cr_expect_eq(c->page, PAGE_AUTO);
    cr_expect(!c->remote && c->auth == AUTH_AUTO && !c->keys_path && !c->spend_path);
    config_free(c);
    c = parse(MODEL EXPERT "state_dir: st\nauth: required\npage: false\n");
    cr_expect_eq(c->page, PAGE_OFF);
    cr_expect(c->auth == AUTH_REQUIRED);
    cr_expect_str_eq(c->keys_path, "dir/st/keys.json");
    cr_expect_str_eq(c->spend_path, "dir/st/keys.spend");
    config_free(c);
    c = parse(MODEL EXPERT "state_dir: st\nkeys: /etc/k.json\nauth: off\npage: true\n");
    cr_expect_eq(c->page, PAGE_ON);
    cr_expect(c->auth == AUTH_OFF);
    cr_expect_str_eq(c->keys_path, "/etc/k.json");
    cr_expect_str_eq(c->spend_path, "dir/st/keys.spend");
    config_free(c);
    c = parse(MODEL EXPERT "listen: '[::]:80'\nallow_remote: true\n");
    cr_expect(c->remote);
    config_free(c);
}

Test(config, override_adds_or_replaces_and_becomes_the_default)
{
    struct config *c = parse(MODEL EXPERT "policies: {p: {lambda: 1}}\n");
    const struct policy mine = {.lambda = 7};
    cr_assert_eq(config_override_policy(c, "ask", &mine, NULL), OK);
    cr_assert(c->policy_count == 2 && c->default_policy == 1 && c->policies[1].policy.lambda == 7);
    cr_assert_eq(config_override_policy(c, "p", &mine, NULL), OK);
    cr_assert(c->policy_count == 2 && c->default_policy == 0 && c->policies[0].policy.lambda == 7);
    config_free(c);
}

Test(config, a_missing_file_is_named)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_neq(config_load("/nowhere/leeroo.yaml", &c, &err), OK);
    cr_assert(strstr(err.text, "/nowhere/leeroo.yaml"));
    config_free(NULL);
}
