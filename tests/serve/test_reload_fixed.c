/* What cannot change while the process runs. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/buf.h"
#include "serve/reload.h"
#include "serve_test.h"

static struct config *config_of(const char *top)
{
    char text[4096];
    struct config *c = NULL;
    struct error err = {0};
    snprintf(text, sizeof(text), "model: m\n%s" SERVE_TEST_EXPERTS, top);
    cr_assert_eq(config_parse(str_from(text), "dir/test.yaml", &c, &err), OK, "%s", err.text);
    return c;
}

static void changes(const char *running, const char *fresh, const char *keys)
{
    struct config *a = config_of(running), *b = config_of(fresh);
    struct buf changed;
    buf_init(&changed, 1024);
    cr_expect_eq(reload_keep_fixed(a, b, &changed) > 0, keys[0] != '\0');
    buf_add_char(&changed, '\0');
    cr_expect_str_eq(changed.ptr, keys, "%s", changed.ptr);
    buf_done(&changed);
    buf_init(&changed, 1024);
    cr_expect_eq(reload_keep_fixed(a, b, &changed), 0, "now they agree");
    config_free(a); /* what was put back lives on its own */
    cr_expect(b->listen.len > 0);
    config_free(b);
}

Test(reload_fixed, nothing_changed)
{
    changes("", "", "");
    changes("state_dir: s\nthreads: 3\n", "threads: 3\nstate_dir: s\n", "");
}

Test(reload_fixed, what_changes_at_run_time_is_left)
{
    changes("", "limits: {answer: 4MiB}\ndrain: {delay: 1s}\n", "");
}

Test(reload_fixed, keys_are_named_and_put_back)
{
    changes("state_dir: s\n", "state_dir: s\nledger: {store: other.db}\n", "ledger");
    changes("", "listen: 0.0.0.0:1\nallow_remote: true\n", "listen");
    changes("listen: 127.0.0.1:1\n", "listen: 127.0.0.1:2\n", "listen");
    changes("", "threads: 2\nlimits: {connections: 3, body: 2MiB}\n",
            "threads,limits.connections,limits.body");
    changes("", "limits: {bodies: 1024MiB, body_time: 1m, body_rate: 1}\n",
            "limits.bodies,limits.body_time,limits.body_rate");
    changes("", "page: false\n", "page");
    changes("state_dir: s\n", "state_dir: s\nstrict_budgets: true\n", "strict_budgets");
    changes("state_dir: s\n", "", "state_dir,ledger"); /* which is in there */
    changes("", "state_dir: s\n", "state_dir,ledger");
    changes("upstream: {ca_file: /a.pem, proxy: true}\n", "upstream: {ca_file: /b.pem}\n",
            "upstream.ca_file,upstream.proxy");
}
