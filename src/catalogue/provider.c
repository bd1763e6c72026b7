/* The table of providers. A new one is a row here and a word in scripts/prices. */
#include "catalogue/provider.h"

#include <string.h>

#include "base/check.h"

#define AT_CUSTOMER ""

/* What an expert there speaks is "openai" where nothing else is said. */
static const struct provider providers[] = {
    {STR_INIT("openai"),
     STR_INIT("OpenAI"),
     STR_INIT("api.openai.com"),
     STR_INIT("https://api.openai.com/v1"),
     STR_INIT("openai"),
     {"OPENAI_API_KEY"},
     true},
    {STR_INIT("anthropic"),
     STR_INIT("Anthropic"),
     STR_INIT("api.anthropic.com"),
     STR_INIT("https://api.anthropic.com/v1"),
     STR_INIT("anthropic"),
     {"ANTHROPIC_API_KEY"},
     true},
    {STR_INIT("google"),
     STR_INIT("Google"),
     STR_INIT("generativelanguage.googleapis.com"),
     STR_INIT("https://generativelanguage.googleapis.com/v1beta/openai"),
     STR_INIT("openai"),
     {"GEMINI_API_KEY", "GOOGLE_API_KEY"},
     true},
    {STR_INIT("mistral"),
     STR_INIT("Mistral"),
     STR_INIT("api.mistral.ai"),
     STR_INIT("https://api.mistral.ai/v1"),
     STR_INIT("openai"),
     {"MISTRAL_API_KEY"},
     true},
    {STR_INIT("xai"),
     STR_INIT("xAI"),
     STR_INIT("api.x.ai"),
     STR_INIT("https://api.x.ai/v1"),
     STR_INIT("openai"),
     {"XAI_API_KEY"},
     true},
    {STR_INIT("deepseek"),
     STR_INIT("DeepSeek"),
     STR_INIT("api.deepseek.com"),
     STR_INIT("https://api.deepseek.com/v1"),
     STR_INIT("openai"),
     {"DEEPSEEK_API_KEY"},
     true},
    {STR_INIT("cohere"),
     STR_INIT("Cohere"),
     STR_INIT("api.cohere.ai"),
     STR_INIT("https://api.cohere.ai/compatibility/v1"),
     STR_INIT("openai"),
     {"COHERE_API_KEY", "CO_API_KEY"},
     true},
    {STR_INIT("ai21"),
     STR_INIT("AI21"),
     STR_INIT("api.ai21.com"),
     STR_INIT("https://api.ai21.com/studio/v1"),
     STR_INIT("openai"),
     {"AI21_API_KEY"},
     true},
    {STR_INIT("moonshot"),
     STR_INIT("Moonshot"),
     STR_INIT("api.moonshot.ai"),
     STR_INIT("https://api.moonshot.ai/v1"),
     STR_INIT("openai"),
     {"MOONSHOT_API_KEY"},
     true},
    {STR_INIT("zai"),
     STR_INIT("Z.ai"),
     STR_INIT("api.z.ai"),
     STR_INIT("https://api.z.ai/api/paas/v4"),
     STR_INIT("openai"),
     {"ZAI_API_KEY"},
     true},
    {STR_INIT("perplexity"),
     STR_INIT("Perplexity"),
     STR_INIT("api.perplexity.ai"),
     STR_INIT("https://api.perplexity.ai"),
     STR_INIT("openai"),
     {"PERPLEXITY_API_KEY", "PPLX_API_KEY"},
     true},
    {STR_INIT("together"),
     STR_INIT("Together"),
     STR_INIT("api.together.xyz"),
     STR_INIT("https://api.together.xyz/v1"),
     STR_INIT("openai"),
     {"TOGETHER_API_KEY"},
     false},
    {STR_INIT("azure"),
     STR_INIT("Azure"),
     STR_INIT(".openai.azure.com"),
     STR_INIT(AT_CUSTOMER),
     STR_INIT("azure"),
     {"AZURE_OPENAI_API_KEY"},
     false},
    {STR_INIT("bedrock"),
     STR_INIT("Bedrock"),
     STR_INIT(".amazonaws.com"),
     STR_INIT(AT_CUSTOMER),
     STR_INIT("openai"),
     {NULL},
     false},
    {STR_INIT("groq"),
     STR_INIT("Groq"),
     STR_INIT("api.groq.com"),
     STR_INIT("https://api.groq.com/openai/v1"),
     STR_INIT("openai"),
     {"GROQ_API_KEY"},
     false},
    {STR_INIT("cerebras"),
     STR_INIT("Cerebras"),
     STR_INIT("api.cerebras.ai"),
     STR_INIT("https://api.cerebras.ai/v1"),
     STR_INIT("openai"),
     {"CEREBRAS_API_KEY"},
     false},
    {STR_INIT("fireworks"),
     STR_INIT("Fireworks"),
     STR_INIT("api.fireworks.ai"),
     STR_INIT("https://api.fireworks.ai/inference/v1"),
     STR_INIT("openai"),
     {"FIREWORKS_API_KEY"},
     false},
    {STR_INIT("openrouter"),
     STR_INIT("OpenRouter"),
     STR_INIT("openrouter.ai"),
     STR_INIT("https://openrouter.ai/api/v1"),
     STR_INIT("openai"),
     {"OPENROUTER_API_KEY"},
     false},
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
