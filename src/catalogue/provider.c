/* The table of providers: a new one is a row here and a word in scripts/prices.
 *
 * Static data and pure functions, any thread. Hosts are compared whole, or as what a dot begins, never as a beginning:
 * a key must not go to whoever has a name that only looks like a provider's. */
#include "catalogue/provider.h"

#include <string.h>

#include "base/check.h"

#define ROW(name, title, host, url, dialect, makes, ...)                                           \
    {                                                                                              \
        STR_INIT(name), STR_INIT(title), STR_INIT(host), STR_INIT(url), STR_INIT(dialect),         \
            {__VA_ARGS__}, makes                                                                   \
    }
#define MAKES       true
#define HOSTS       false
#define AT_CUSTOMER ""

static const struct provider providers[] = {
    ROW("openai", "OpenAI", "api.openai.com", "https://api.openai.com/v1", "openai", MAKES,
        "OPENAI_API_KEY"),
    ROW("anthropic", "Anthropic", "api.anthropic.com", "https://api.anthropic.com/v1", "anthropic",
        MAKES, "ANTHROPIC_API_KEY"),
    ROW("google", "Google", "generativelanguage.googleapis.com",
        "https://generativelanguage.googleapis.com/v1beta/openai", "openai", MAKES,
        "GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ROW("mistral", "Mistral", "api.mistral.ai", "https://api.mistral.ai/v1", "openai", MAKES,
        "MISTRAL_API_KEY"),
    ROW("xai", "xAI", "api.x.ai", "https://api.x.ai/v1", "openai", MAKES, "XAI_API_KEY"),
    ROW("deepseek", "DeepSeek", "api.deepseek.com", "https://api.deepseek.com/v1", "openai", MAKES,
        "DEEPSEEK_API_KEY"),
    ROW("cohere", "Cohere", "api.cohere.ai", "https://api.cohere.ai/compatibility/v1", "openai",
        MAKES, "COHERE_API_KEY", "CO_API_KEY"),
    ROW("ai21", "AI21", "api.ai21.com", "https://api.ai21.com/studio/v1", "openai", MAKES,
        "AI21_API_KEY"),
    ROW("moonshot", "Moonshot", "api.moonshot.ai", "https://api.moonshot.ai/v1", "openai", MAKES,
        "MOONSHOT_API_KEY"),
    ROW("zai", "Z.ai", "api.z.ai", "https://api.z.ai/api/paas/v4", "openai", MAKES, "ZAI_API_KEY"),
    ROW("perplexity", "Perplexity", "api.perplexity.ai", "https://api.perplexity.ai", "openai",
        MAKES, "PERPLEXITY_API_KEY", "PPLX_API_KEY"),
    ROW("together", "Together", "api.together.xyz", "https://api.together.xyz/v1", "openai", HOSTS,
        "TOGETHER_API_KEY"),
    ROW("azure", "Azure", ".openai.azure.com", AT_CUSTOMER, "azure", HOSTS, "AZURE_OPENAI_API_KEY"),
    ROW("bedrock", "Bedrock", ".amazonaws.com", AT_CUSTOMER, "openai", HOSTS, NULL),
    ROW("groq", "Groq", "api.groq.com", "https://api.groq.com/openai/v1", "openai", HOSTS,
        "GROQ_API_KEY"),
    ROW("cerebras", "Cerebras", "api.cerebras.ai", "https://api.cerebras.ai/v1", "openai", HOSTS,
        "CEREBRAS_API_KEY"),
    ROW("fireworks", "Fireworks", "api.fireworks.ai", "https://api.fireworks.ai/inference/v1",
        "openai", HOSTS, "FIREWORKS_API_KEY"),
    ROW("openrouter", "OpenRouter", "openrouter.ai", "https://openrouter.ai/api/v1", "openai",
        HOSTS, "OPENROUTER_API_KEY"),
};
#define COUNT (sizeof(providers) / sizeof(providers[0]))

/* Other hosts of the same. */
static const struct {
    struct str host, provider;
} other_hosts[] = {
    {STR_INIT("api.together.ai"), STR_INIT("together")},
    {STR_INIT("api.cohere.com"), STR_INIT("cohere")},
    {STR_INIT(".cognitiveservices.azure.com"), STR_INIT("azure")},
    {STR_INIT(".services.ai.azure.com"), STR_INIT("azure")},
    {STR_INIT(".api.openai.com"), STR_INIT("openai")}, /* eu.api.openai.com */
};

struct str provider_host(struct str url)
{
    size_t scheme = str_find(url, STR("://"), 0);
    if (scheme == SIZE_MAX)
        return STR("");
    struct str host = str_slice(url, scheme + 3, url.len);
    size_t slash = str_find(host, STR("/"), 0);
    host = str_slice(host, 0, slash == SIZE_MAX ? host.len : slash);
    size_t bracket = str_find(host, STR("]"), 0);
    if (str_starts(host, STR("[")) && bracket != SIZE_MAX)
        return str_slice(host, 1, bracket);
    return str_split(&host, ':');
}

static bool is_host(struct str host, struct str known)
{
    size_t from = host.len > known.len ? host.len - known.len : 0;
    if (str_starts(known, STR(".")))
        return host.len > known.len && str_equal_nocase(str_slice(host, from, host.len), known);
    return str_equal_nocase(host, known);
}

const struct provider *provider_of_url(struct str url)
{
    struct str host = provider_host(url);
    for (size_t i = 0; i < COUNT; i++)
        if (is_host(host, providers[i].host))
            return &providers[i];
    for (size_t i = 0; i < sizeof(other_hosts) / sizeof(other_hosts[0]); i++)
        if (is_host(host, other_hosts[i].host))
            return provider_find(other_hosts[i].provider);
    return NULL;
}

const struct provider *provider_find(struct str name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (str_equal(providers[i].name, name))
            return &providers[i];
    return NULL;
}

size_t provider_count(void)
{
    return COUNT;
}

const struct provider *provider_at(size_t index)
{
    CHECK(index < COUNT);
    return &providers[index];
}

static bool is_loopback_4(struct str host)
{
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] != '.' && (host.ptr[i] < '0' || host.ptr[i] > '9'))
            return false;
    return str_starts(host, STR("127."));
}

bool provider_is_loopback(struct str url)
{
    struct str host = provider_host(url);
    return is_loopback_4(host) || str_equal_nocase(host, STR("localhost")) ||
           str_equal(host, STR("::1"));
}
