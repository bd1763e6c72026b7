/* Many checks at once: each verdict is its own answer's, whatever the order in which they end. */
#include "demo/check_batch.h"

#include <criterion/criterion.h>

#define JOBS 40

static const char *const command[] = {
    "sh", "-c", "read -r line; case $line in *yes*) echo good;; *) echo bad; exit 1;; esac", NULL};

static struct verify_settings settings(void)
{
    struct verify_settings s = verify_settings_usual(VERIFY_COMMAND);
    s.name = STR("test");
    s.command = command;
    return s;
}

Test(check_batch, every_answer_has_its_own_verdict, .timeout = 120)
{
    const struct verify_settings s = settings();
    struct check_job jobs[JOBS];
    struct error err = {0};
    for (size_t i = 0; i < JOBS; i++)
        jobs[i] =
            (struct check_job){.question = STR("?"), .answer = i % 3 ? STR("yes") : STR("no")};
    cr_assert_eq(check_batch_run(&s, jobs, JOBS, "checks", &err), OK, "%s", err.text);
    for (size_t i = 0; i < JOBS; i++) {
        cr_expect_eq(jobs[i].end.verdict, i % 3 ? VERIFY_PASS : VERIFY_REJECT, "%zu: %s", i,
                     jobs[i].end.why);
        cr_expect_str_eq(jobs[i].end.why, i % 3 ? "good" : "bad");
    }
}

Test(check_batch, nothing_to_do_is_done)
{
    const struct verify_settings s = settings();
    struct error err = {0};
    cr_expect_eq(check_batch_run(&s, NULL, 0, "checks", &err), OK, "%s", err.text);
}
