/* The section `ledger`: paths, the URL out of the environment, and what is refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define REST "model: m\nexperts:\n  - {name: a, url: \"http://h/v1\"}\n"
#define URL  "postgresql://me:canary@h/db"

static struct config *parse(const char *text)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(config_parse(str_from(text), "dir/leeroo.yaml", &c, &err), OK, "%s", err.text);
    return c;
}

static void expect(const char *text, const char *store, const char *journal, size_t bytes)
{
    struct config *c = parse(text);
    if (store)
        cr_expect_str_eq(c->ledger.store, store);
    else
        cr_expect_null(c->ledger.store);
    if (journal)
        cr_expect_str_eq(c->ledger.journal_path, journal);
    cr_expect_eq(c->ledger.journal_bytes, bytes);
    config_free(c);
}

static void refuse(const char *text, const char *why)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(config_parse(str_from(text), "dir/leeroo.yaml", &c, &err), ERR_INPUT);
    cr_expect(strstr(err.text, why), "%s", err.text);
    cr_expect_null(strstr(err.text, "canary"), "%s", err.text);
}

Test(config_ledger, keeps_for_days_or_for_ever)
{
    static const struct {
        const char *keep;
        int64_t days; /* -1: refused */
    } rows[] = {{"90d", 90}, {"1d", 1},      {"12w", 84}, {"36500d", 36500},
                {"0d", -1},  {"-1d", -1},    {"90", -1},  {"12h", -1},
                {"d", -1},   {"36501d", -1}, {"[1]", -1}, {"1.5d", -1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];
        struct config *c = NULL;
        struct error err = {0};
        snprintf(text, sizeof(text), REST "ledger: {keep: %s}\n", rows[i].keep);
        enum status status = config_parse(str_from(text), "l.yaml", &c, &err);
        cr_assert_eq(status, rows[i].days < 0 ? ERR_INPUT : OK, "%s: %s", rows[i].keep, err.text);
        if (status == OK)
            cr_assert_eq(c->ledger.keep_ms, rows[i].days * 86400000);
        else
            cr_assert_not_null(strstr(err.text, "keep must be how long requests stay"), "%s",
                               err.text);
        config_free(c);
    }
}

Test(config_ledger, is_where_the_file_says_or_in_the_state_dir)
{
    setenv("LEEROO_TEST_URL", URL, 1);
    expect(REST, NULL, NULL, 0);
    expect(REST "state_dir: s\n", "dir/s/ledger.sqlite", "dir/s/ledger.journal", 0);
    expect(REST "ledger: {store: l.db}\n", "dir/l.db", "dir/l.db.journal", 0);
    expect(REST "ledger: {store: /l.db, journal: 2MiB}\n", "/l.db", "/l.db.journal", 2u << 20);
    expect(REST "state_dir: s\nledger: {store: l.db}\n", "dir/l.db", "dir/s/ledger.journal", 0);
    expect(REST "state_dir: s\nledger: {store: none}\n", NULL, NULL, 0);
    expect(REST "state_dir: s\nledger: {store: \"env:LEEROO_TEST_URL\"}\n", URL,
           "dir/s/ledger.journal", 0);
}

Test(config_ledger, mistakes_are_named_and_secrets_are_not)
{
    setenv("LEEROO_TEST_URL", URL, 1);
    setenv("LEEROO_TEST_WORD", "canary", 1);
    unsetenv("LEEROO_TEST_NONE");
    refuse(REST "ledger: {store: \"" URL "\"}\n", "store must be env:NAME");
    refuse(REST "ledger: {store: \"env:LEEROO_TEST_URL\"}\n", "needs a state_dir");
    refuse(REST "ledger: {store: \"env:LEEROO_TEST_WORD\"}\n", "must hold a postgresql:// URL");
    refuse(REST "ledger: {store: \"env:LEEROO_TEST_NONE\"}\n", "LEEROO_TEST_NONE is not set");
    refuse(REST "ledger: {store: [a]}\n", "store");
    refuse(REST "ledger: {journal: 1KiB}\n", "journal must be between");
    refuse(REST "ledger: {stor: a}\n", "did you mean 'store'");
    refuse(REST "ledger: yes\n", "ledger");
}
