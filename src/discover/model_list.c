/* One reader for all lists of models: most resemble OpenAI's, and what they say beyond ids is called by a few names.
 *
 * Pure functions, any thread. A reply comes from outside: what is missing or of another type is not said, and only a
 * reply without any list is refused. */
#include "discover/model_list.h"

#include <stdio.h>

#include "base/json.h"
#include "base/map.h"
#include "catalogue/catalogue.h"

#define ID_BYTES_MAX 200

static bool is_text(struct json_value v, const char *text)
{
    return v.type == JSON_STRING && json_string_equal(v, str_from(text));
}

static struct str text_of(struct json_value v, struct arena *a)
{
    struct str s = STR("");
    if (v.type != JSON_STRING || json_string_decode(v, a, &s) != OK)
        return STR("");
    return s;
}

/* The first of these members that holds a whole number that counts tokens. */
static uint32_t tokens_of(struct json_value model, const char *const *names, size_t count)
{
    int64_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (json_to_int64(json_get(model, names[i]), &n) == OK && n > 0 &&
            n <= MODEL_LIST_TOKENS_MAX)
            return (uint32_t)n;
    return 0;
}

/* Prices */

/* USD for each token, or for each million, as a number or as a text that holds one. */
static bool read_usd(struct json_value v, double tokens, int64_t *ret)
{
    double usd = -1;
    char text[64];
    enum status status =
        v.type == JSON_STRING ? str_to_double(json_inside(v), &usd) : json_to_double(v, &usd);
    if (status != OK || !(usd >= 0))
        return false;
    snprintf(text, sizeof(text), "%.9f", usd * tokens);
    return money_parse_usd(str_from(text), ret) == OK;
}

/* OpenRouter's names, for a token each, and Together's, for a million. */
static void read_price(struct json_value pricing, struct listed_model *m)
{
    struct price p = {0};
    int64_t more = 0;
    bool for_token = json_get(pricing, "prompt").type != JSON_NONE;
    double tokens = for_token ? 1e6 : 1;
    const char *const *names = for_token ? (const char *const[]){"prompt", "completion"}
                                         : (const char *const[]){"input", "output"};
    if (!read_usd(json_get(pricing, names[0]), tokens, &p.input_nano_usd_per_m) ||
        !read_usd(json_get(pricing, names[1]), tokens, &p.output_nano_usd_per_m))
        return;
    /* Together lists what can be rented only by the hour at 0. */
    if (p.input_nano_usd_per_m == 0 && p.output_nano_usd_per_m == 0 &&
        !str_ends(m->id, STR(":free")))
        return;
    if (read_usd(json_get(pricing, "input_cache_read"), tokens, &more) && more > 0)
        (void)price_set_cached_input(&p, more);
    if (read_usd(json_get(pricing, "input_cache_write"), tokens, &more) && more > 0)
        price_set_cache_write(&p, more);
    if (read_usd(json_get(pricing, "internal_reasoning"), tokens, &more) && more > 0)
        price_set_reasoning(&p, more);
    m->price = p;
    m->priced = true;
}

/* Abilities */

static bool lists(struct json_value list, const char *word)
{
    struct json_value item;
    struct json_iter it = json_iter_begin(list);
    while (list.type == JSON_ARRAY && json_array_next(&it, &item))
        if (is_text(item, word))
            return true;
    return false;
}

static void tell(struct listed_model *m, bool has, unsigned ability)
{
    m->abilities_told = true;
    if (has)
        m->abilities |= ability;
}

/* OpenRouter lists parameters and modalities, llama-server modalities; Mistral and Fireworks have a flag for each. */
static void read_abilities(struct json_value model, struct listed_model *m)
{
    struct json_value parameters = json_get(model, "supported_parameters");
    struct json_value modes = json_get(json_get(model, "architecture"), "input_modalities");
    struct json_value flags = json_get(model, "capabilities");
    if (parameters.type == JSON_ARRAY) {
        tell(m, lists(parameters, "tools"), CATALOGUE_TOOLS);
        tell(m, lists(parameters, "response_format"), CATALOGUE_JSON);
        tell(m, lists(parameters, "reasoning"), CATALOGUE_REASONING);
        tell(m, lists(modes, "image"), CATALOGUE_IMAGES);
    } else if (json_get(flags, "function_calling").type != JSON_NONE) {
        tell(m, json_get(flags, "function_calling").type == JSON_TRUE, CATALOGUE_TOOLS);
        tell(m, json_get(flags, "vision").type == JSON_TRUE, CATALOGUE_IMAGES);
    } else if (json_get(model, "supports_tools").type != JSON_NONE) {
        tell(m, json_get(model, "supports_tools").type == JSON_TRUE, CATALOGUE_TOOLS);
        tell(m, json_get(model, "supports_image_input").type == JSON_TRUE, CATALOGUE_IMAGES);
    } else if (modes.type == JSON_ARRAY) { /* llama-server says no more */
        tell(m, true, CATALOGUE_TOOLS | CATALOGUE_JSON);
        tell(m, lists(modes, "image"), CATALOGUE_IMAGES);
    }
}

/* Whether the reply says that it is no chat model. */
static bool is_told_apart(struct json_value model)
{
    static const char *const kinds[] = {"embedding", "embeddings", "image",          "moderation",
                                        "rerank",    "audio",      "video",          "transcribe",
                                        "code",      "language",   "embedding-model"};
    struct json_value type = json_get(model, "type");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (is_text(type, kinds[i]))
            return true;
    struct json_value modes = json_get(json_get(model, "architecture"), "output_modalities");
    struct json_value endpoints = json_get(model, "endpoints");
    struct json_value state = json_get(model, "status");
    return json_get(json_get(model, "capabilities"), "completion_chat").type == JSON_FALSE ||
           json_get(model, "supports_chat").type == JSON_FALSE ||
           json_get(model, "active").type == JSON_FALSE ||
           (modes.type == JSON_ARRAY && !lists(modes, "text")) ||
           (json_is_filled(endpoints) && !lists(endpoints, "chat")) ||
           (state.type == JSON_STRING && is_text(json_get(model, "object"), "deployment") &&
            !is_text(state, "succeeded"));
}

/* When */

static bool digits(struct str s, size_t from, size_t to, int64_t *ret)
{
    return s.len >= to && str_to_int64(str_slice(s, from, to), ret) == OK && *ret >= 0;
}

/* Days since 1970 of "2025-02-19...", by the calendar's 400 years; Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms". 0 where it is no date. */
static int64_t days_of(struct str date)
{
    int64_t y = 0, m = 0, d = 0;
    if (!digits(date, 0, 4, &y) || !digits(date, 5, 7, &m) || !digits(date, 8, 10, &d) ||
        y < 1970 || m < 1 || m > 12 || d < 1 || d > 31)
        return 0;
    y -= m <= 2;
    int64_t year = y % 400, day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return y / 400 * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

static int64_t made_at(struct json_value model)
{
    int64_t s = 0;
    if (json_to_int64(json_get(model, "created"), &s) == OK && s > 0)
        return s;
    struct json_value date = json_get(model, "created_at");
    return date.type == JSON_STRING ? days_of(json_inside(date)) * 86400 : 0;
}

/* Lists */

static const char *const id_names[] = {"id", "name", "model"};
#define ID_NAMES (sizeof(id_names) / sizeof(id_names[0]))

/* Google's begin with "models/". */
static struct str without_folder(struct str id)
{
    static const struct str folder = STR_INIT("models/");
    return str_starts(id, folder) ? str_slice(id, folder.len, id.len) : id;
}

static struct str id_of(struct json_value model, struct arena *a)
{
    struct str id = STR("");
    for (size_t i = 0; id.len == 0 && i < ID_NAMES; i++)
        id = text_of(json_get(model, id_names[i]), a);
    id = without_folder(id);
    return id.len <= ID_BYTES_MAX && utf8_printable(id) ? id : STR("");
}

static void name_server(struct json_value model, struct model_list *list)
{
    static const struct {
        const char *owner;
        struct str server;
    } known[] = {{"library", STR_INIT("Ollama")},
                 {"llamacpp", STR_INIT("llama-server")},
                 {"vllm", STR_INIT("vLLM")},
                 {"sglang", STR_INIT("SGLang")},
                 {"organization_owner", STR_INIT("LM Studio")},
                 {"organization-owner", STR_INIT("LM Studio")}};
    struct json_value owner = json_get(model, "owned_by");
    for (size_t i = 0; list->server.len == 0 && i < sizeof(known) / sizeof(known[0]); i++)
        if (is_text(owner, known[i].owner))
            list->server = known[i].server;
}

/* One item of a list; one piece, because it is a row of names by which the same is called. */
static enum status take(struct json_value model, struct arena *a, struct map *taken,
                        struct model_list *list)
{
    uint32_t place;
    static const char *const contexts[] = {"context_length",     "context_window",
                                           "max_model_len",      "n_ctx",
                                           "max_context_length", "max_input_tokens"};
    static const char *const outputs[] = {"max_completion_tokens", "max_output_tokens",
                                          "max_tokens"};
    struct listed_model m = {.id = id_of(model, a), .made_s = made_at(model)};
    list->is_gateway |= str_equal(m.id, STR("leeroo"));
    if (m.id.len == 0 || map_get(taken, m.id, &place))
        return OK;
    if (is_told_apart(model) || model_is_no_chat(m.id)) {
        list->others++;
        return OK;
    }
    if (list->count == MODEL_LIST_MODELS_MAX) {
        list->left_out++;
        return OK;
    }
    if (is_text(json_get(model, "object"), "deployment"))
        m.made_of = text_of(json_get(model, "model"), a);
    m.context_tokens = tokens_of(model, contexts, sizeof(contexts) / sizeof(contexts[0]));
    if (m.context_tokens == 0)
        m.context_tokens = tokens_of(json_get(model, "meta"), contexts + 3, 1);
    m.output_tokens = tokens_of(model, outputs, sizeof(outputs) / sizeof(outputs[0]));
    if (m.output_tokens == 0)
        m.output_tokens = tokens_of(json_get(model, "top_provider"), outputs, 1);
    m.retiring = json_is_set(json_get(model, "deprecation")) ||
                 json_is_set(json_get(model, "expiration_date"));
    read_price(json_get(model, "pricing"), &m);
    read_abilities(model, &m);
    name_server(model, list);
    list->models[list->count] = m;
    return map_put(taken, m.id, (uint32_t)list->count++);
}

/* The list itself: the whole reply (Together), "data", or "models" (Cohere, Ollama's own). */
static struct json_value find_list(struct json_value root)
{
    struct json_value data = json_get(root, "data");
    if (root.type == JSON_ARRAY || data.type == JSON_ARRAY)
        return root.type == JSON_ARRAY ? root : data;
    return json_get(root, "models");
}

enum status model_list_parse(struct str body, struct arena *a, struct model_list *ret,
                             struct error *err)
{
    struct json_value root, item;
    struct model_list list = {0};
    enum status status = json_parse(body, "the list of models", 1, &root, err);
    if (status != OK)
        return status;
    struct json_value items = find_list(root);
    if (items.type != JSON_ARRAY)
        return error_set(err, ERR_INPUT, "the reply is no list of models");
    size_t count = 0;
    for (struct json_iter it = json_iter_begin(items); json_array_next(&it, &item);)
        count++;
    if (count > MODEL_LIST_MODELS_MAX)
        count = MODEL_LIST_MODELS_MAX;
    list.models = ARENA_ARRAY(a, count + 1, struct listed_model);
    struct map *taken = map_create(count + 1); /* a list may be long, and repeat itself */
    status = list.models && taken ? OK : ERR_MEMORY;
    for (struct json_iter it = json_iter_begin(items); status == OK && json_array_next(&it, &item);)
        status = take(item, a, taken, &list);
    map_free(taken);
    if (status != OK)
        return error_set(err, ERR_MEMORY, "out of memory for a list of models");
    *ret = list;
    return OK;
}

/* As id_of, but for a text that is not decoded, whose ids are written without escapes. */
static bool is_called(struct json_value model, struct str id)
{
    for (size_t i = 0; i < ID_NAMES; i++) {
        struct json_value v = json_get(model, id_names[i]);
        if (v.type == JSON_STRING &&
            (json_string_equal(v, id) || str_equal(without_folder(json_inside(v)), id)))
            return true;
    }
    return false;
}

bool model_list_names(struct str body, struct str id, size_t *ret_count)
{
    struct json_value root, item;
    struct error err;
    bool found = false;
    *ret_count = 0;
    if (json_parse(body, "the list of models", 1, &root, &err) != OK)
        return false;
    struct json_value items = find_list(root);
    struct json_iter it = json_iter_begin(items);
    while (items.type == JSON_ARRAY && json_array_next(&it, &item)) {
        found |= is_called(item, id);
        ++*ret_count;
    }
    return found;
}

uint32_t llama_server_context(struct str body)
{
    static const char *const names[] = {"n_ctx"};
    struct json_value root;
    struct error err;
    if (json_parse(body, "props", 1, &root, &err) != OK)
        return 0;
    return tokens_of(json_get(root, "default_generation_settings"), names, 1);
}
