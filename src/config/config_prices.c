/* What the catalogue of models adds to what leeroo.yaml says of its experts: limits and abilities where it is silent,
 * and prices where neither it nor the model file has any.
 *
 * An expert is found by whose API its URL is and by what it is called there. What runs on this machine is nobody's
 * product: it has no price but the one that its owner gives it, and its context is as long as it was started with. */
#include "base/check.h"
#include "catalogue/provider.h"
#include "config/config_int.h"

static const struct catalogue_entry *find(const struct expert *e, struct str provider)
{
    const struct catalogue_entry *known = catalogue_find(provider, e->upstream_model);
    return known ? known : catalogue_find(provider, e->name); /* a deployment of Azure */
}

/* Behind a URL of nobody's, a model that is sold by its maker is taken to cost what it costs there: open weights have
 * as many prices as hosts. */
static const struct catalogue_entry *find_made(const struct expert *e)
{
    const struct catalogue_entry *known = find(e, STR(""));
    return known && provider_find(known->provider)->makes_models ? known : NULL;
}

static struct str provider_of(const struct expert *e)
{
    const struct provider *p = provider_of_url(e->url);
    if (p)
        return p->name;
    return e->dialect == &dialect_openai ? STR("") : str_from(e->dialect->name);
}

const struct catalogue_entry *config_find_known(const struct expert *e)
{
    struct str provider = provider_of(e);
    if (provider_is_loopback(e->url))
        return NULL;
    return provider.len > 0 ? find(e, provider) : find_made(e);
}

/* Lists of abilities are read as far as they can be believed: that a model knows JSON is often left out. */
static unsigned capabilities_of(const struct catalogue_entry *known, bool knows_effort)
{
    unsigned all = EXPERT_JSON;
    if (known->abilities & CATALOGUE_TOOLS)
        all |= EXPERT_TOOLS;
    if (known->abilities & CATALOGUE_IMAGES)
        all |= EXPERT_IMAGES;
    if (known->abilities & CATALOGUE_REASONING && knows_effort)
        all |= EXPERT_EFFORT;
    return all;
}

void config_take_known(struct expert *e, const struct catalogue_entry *known,
                       bool capabilities_given)
{
    bool is_openai =
        str_equal(known->provider, STR("openai")) || str_equal(known->provider, STR("azure"));
    if (e->context_tokens == 0)
        e->context_tokens = known->context_tokens;
    if (e->output_limit == 0)
        e->output_limit = known->output_tokens;
    if (!capabilities_given && known->abilities)
        e->capabilities = capabilities_of(known, is_openai);
    if (e->limit_name == OPENAI_LIMIT_AS_GIVEN && is_openai &&
        known->abilities & CATALOGUE_REASONING)
        e->limit_name = OPENAI_LIMIT_MAX_COMPLETION_TOKENS;
}

static void hint_elsewhere(const struct expert *e, struct buf *out)
{
    const struct catalogue_entry *other = find(e, STR(""));
    if (!other)
        return;
    buf_addf(out, " (%.*s asks {input: ", STR_FMT(provider_find(other->provider)->title));
    money_format_usd_short(out, other->price.input_nano_usd_per_m);
    buf_add_c(out, ", output: ");
    money_format_usd_short(out, other->price.output_nano_usd_per_m);
    buf_add_c(out, "})");
}

static enum status unknown_price(const struct config *c, size_t i, struct error *err)
{
    const struct expert *e = &c->experts[i];
    struct buf hint;
    buf_init(&hint, 160);
    hint_elsewhere(e, &hint);
    bool local = provider_is_loopback(e->url);
    enum status status = error_set_at(
        err, ERR_INPUT, c->place, c->origins[i].line, c->origins[i].column,
        "expert '%.*s': no price is known for model '%.*s'%s; add price: {input: %s, output: %s}%s",
        STR_FMT(e->name), STR_FMT(e->upstream_model), hint.status == OK && hint.ptr ? hint.ptr : "",
        local ? "0" : "...", local ? "0" : "...",
        local ? ", or what it costs you" : ", in USD per million tokens");
    buf_done(&hint);
    return status;
}

enum status config_price(struct config *c, const struct model *m, struct error *err)
{
    struct error own = {0};
    err = err ? err : &own;
    for (size_t i = 0; i < c->expert_count; i++) {
        struct config_origin *origin = &c->origins[i];
        size_t trained = m ? model_expert_index(m, c->experts[i].name) : SIZE_MAX;
        if (origin->price_from != CONFIG_PRICE_UNKNOWN)
            continue;
        if (trained != SIZE_MAX) {
            c->experts[i].price = model_expert_at(m, trained)->price;
            origin->price_from = CONFIG_PRICE_OF_MODEL;
        } else if (origin->known) {
            c->experts[i].price = origin->known->price;
            origin->price_from = CONFIG_PRICE_OF_CATALOGUE;
        } else if (!problems_go_on(c->problems, unknown_price(c, i, err), err)) {
            return err->status;
        }
    }
    return problems_first(c->problems, err);
}

const char *config_price_source_name(enum config_price_source source)
{
    static const char *const names[] = {"unknown", "config", "model", "catalogue"};
    CHECK(source >= 0 && source <= CONFIG_PRICE_OF_CATALOGUE);
    return names[source];
}
