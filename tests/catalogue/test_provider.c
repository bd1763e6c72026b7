/* Whose API a URL is, and what is this machine. */
#include "catalogue/provider.h"

#include <criterion/criterion.h>

#include "catalogue/catalogue.h"

static void is(const char *url, const char *name)
{
    const struct provider *p = provider_of_url(str_from(url));
    cr_assert_not_null(p, "%s", url);
    cr_expect(str_equal(p->name, str_from(name)), "%s is %.*s", url, STR_FMT(p->name));
}

Test(provider, of_url)
{
    is("https://api.openai.com/v1", "openai");
    is("https://API.OpenAI.com:443/v1", "openai");
    is("https://eu.api.openai.com/v1", "openai");
    is("https://api.anthropic.com/v1", "anthropic");
    is("https://my-place.openai.azure.com/openai/deployments/x", "azure");
    is("https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", "bedrock");
    is("https://api.together.ai/v1", "together");
    for (size_t i = 0; i < provider_count(); i++)
        if (provider_at(i)->url.len > 0)
            cr_expect_eq(provider_of_url(provider_at(i)->url), provider_at(i));
}

Test(provider, of_nobody)
{
    cr_expect_null(provider_of_url(STR("https://openai.com.evil.example/v1")));
    cr_expect_null(provider_of_url(STR("https://notapi.openai.comx/v1")));
    cr_expect_null(provider_of_url(STR("https://xopenrouter.ai/v1")));
    cr_expect_null(provider_of_url(STR("https://.openai.azure.com/v1")));
    cr_expect_null(provider_of_url(STR("api.openai.com")));
    cr_expect_null(provider_of_url(STR("")));
}

Test(provider, loopback)
{
    static const char *const yes[] = {"http://127.0.0.1:8080/v1", "http://127.1.2.3/v1",
                                      "http://localhost:11434/v1", "http://[::1]:8000/v1"};
    static const char *const no[] = {"http://127.evil.example/v1",
                                     "http://10.0.0.1/v1",
                                     "http://localhost.example/v1",
                                     "127.0.0.1",
                                     "",
                                     "http://[::2]/v1"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        cr_expect(provider_is_loopback(str_from(yes[i])), "%s", yes[i]);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        cr_expect_not(provider_is_loopback(str_from(no[i])), "%s", no[i]);
}

/* Each row of the table of prices is somebody's. */
Test(provider, of_all_prices)
{
    for (size_t i = 0; i < catalogue_count(); i++)
        cr_expect_not_null(provider_find(catalogue_at(i)->provider), "%.*s",
                           STR_FMT(catalogue_at(i)->provider));
}
