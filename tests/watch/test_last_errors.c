/* Which failures are noted, and which stay when there are more. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "watch/last_errors.h"

static struct last_errors *errors;

static void begin(void)
{
    errors = last_errors_create();
    cr_assert_not_null(errors);
}

static void end(void)
{
    last_errors_free(errors);
}

TestSuite(last_errors, .init = begin, .fini = end);

static void note(const char *id, const char *expert, enum request_outcome outcome, int http_status,
                 const char *problem)
{
    const struct record r = {.id = id,
                             .begin_wall_ms = 1000,
                             .total_ms = 50,
                             .expert = str_from(expert),
                             .outcome = outcome,
                             .http_status = http_status,
                             .problem = problem};
    last_errors_note(errors, &r);
}

Test(last_errors, are_failures_that_are_no_clients_fault)
{
    struct last_error all[LAST_ERRORS_MAX];
    cr_assert_eq(last_errors_read(errors, all), 0);
    note("req_a", "x", REQUEST_ANSWERED, 200, NULL);
    note("req_b", "x", REQUEST_CANCELLED, 499, "gone");
    note("req_c", "", REQUEST_FAILED, 401, "who are you");
    cr_assert_eq(last_errors_read(errors, all), 0);
    note("req_d", "", REQUEST_FAILED, 503, "no expert can be asked");
    note("req_e", "x", REQUEST_FAILED, 400, NULL);
    cr_assert_eq(last_errors_read(errors, all), 2);
    cr_assert_str_eq(all[0].id, "req_e");
    cr_assert_str_eq(all[0].expert, "x");
    cr_assert_str_eq(all[0].message, "");
    cr_assert_eq(all[0].http_status, 400);
    cr_assert_eq(all[0].at_ms, 1050);
    cr_assert_str_eq(all[1].message, "no expert can be asked");
}

Test(last_errors, are_the_last_ones)
{
    struct last_error all[LAST_ERRORS_MAX];
    char id[RECORD_ID_BYTES];
    for (int i = 0; i < 3 * LAST_ERRORS_MAX + 1; i++) {
        snprintf(id, sizeof(id), "req_%d", i);
        note(id, "x", REQUEST_FAILED, 502, "down");
    }
    cr_assert_eq(last_errors_read(errors, all), LAST_ERRORS_MAX);
    for (int i = 0; i < LAST_ERRORS_MAX; i++) {
        snprintf(id, sizeof(id), "req_%d", 3 * LAST_ERRORS_MAX - i);
        cr_assert_str_eq(all[i].id, id);
    }
}

/* A long message is cut between two characters. */
Test(last_errors, are_cut_to_their_place)
{
    struct last_error all[LAST_ERRORS_MAX];
    char text[3 * LAST_ERRORS_TEXT_BYTES + 1];
    for (size_t i = 0; i + 1 < sizeof(text); i++)
        text[i] = "\xe2\x82\xac"[i % 3];
    text[sizeof(text) - 1] = '\0';
    note("req_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "x", REQUEST_FAILED, 502, text);
    cr_assert_eq(last_errors_read(errors, all), 1);
    cr_assert_eq(strlen(all[0].message), LAST_ERRORS_TEXT_BYTES - LAST_ERRORS_TEXT_BYTES % 3);
    cr_assert(utf8_valid(str_from(all[0].message)));
    cr_assert_eq(strlen(all[0].id), RECORD_ID_BYTES - 1);
}
