/* How the page is reached, of configurations with and without keys. */
#include "setup/page_reach.h"

#include <criterion/criterion.h>

#include "keys/key_scene.h"

static struct config c;

static void begin(void)
{
    key_scene_begin();
    c = key_scene.config;
    c.listen = STR("127.0.0.1:8080");
}

TestSuite(page_reach, .init = begin, .fini = key_scene_end);

static void expect(const char *url, enum page_opens opens, const char *part)
{
    const struct page_reach p = page_reach_of(&c, c.listen);
    cr_expect_str_eq(p.url, url);
    cr_expect_eq(p.opens, opens, "%s", page_opens_name(p.opens));
    cr_expect(strstr(page_reach_text(&p), part), "%s", page_reach_text(&p));
}

Test(page_reach, without_keys_it_is_for_this_machine)
{
    expect("http://127.0.0.1:8080/", PAGE_THIS_MACHINE, "open on this machine");
    c.page = PAGE_ON;
    expect("http://127.0.0.1:8080/", PAGE_ANYBODY, "`page: true`");
    c.page = PAGE_OFF;
    expect("", PAGE_NOTHING_OPENS, "off");
}

Test(page_reach, with_keys_it_is_for_admins)
{
    char secret[KEY_SECRET_BYTES];
    key_scene_add("key_a", secret);
    key_scene_save();
    expect("http://127.0.0.1:8080/", PAGE_ADMIN_KEY, "--role admin");
    key_scene_add("key_b", secret)->role = KEY_ADMIN;
    key_scene_save();
    expect("http://127.0.0.1:8080/", PAGE_ADMIN_KEY, "for admin keys");
    cr_expect_eq(page_reach_of(&c, c.listen).admin_keys, 1);
    c.page = PAGE_ON;
    expect("http://127.0.0.1:8080/", PAGE_ADMIN_KEY, "for admin keys");
    key_scene.file.rows[1].revoked_ms = 1000;
    key_scene_save();
    expect("http://127.0.0.1:8080/", PAGE_ADMIN_KEY, "there is none");
}

Test(page_reach, beyond_this_machine)
{
    c.remote = true;
    c.listen = STR("0.0.0.0:80");
    expect("http://127.0.0.1:80/", PAGE_ADMIN_KEY, "there is none");
    c.auth = AUTH_OFF;
    expect("http://127.0.0.1:80/", PAGE_NOTHING_OPENS, "closed");
    c.listen = STR("[2001:db8::1]:443");
    c.tls.certificate = "c.pem";
    c.page = PAGE_ON;
    expect("https://[2001:db8::1]:443/", PAGE_ANYBODY, "open to whoever");
    c.listen = STR("[::]:443");
    expect("https://127.0.0.1:443/", PAGE_ANYBODY, "open to whoever");
    c.listen = STR(":443");
    expect("https://127.0.0.1:443/", PAGE_ANYBODY, "open to whoever");
}
