/* A state file of what checks have said: what is accepted is written and read back the same. */
#include <string.h>

#include "base/check.h"
#include "plan/check_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str names[] = {{"a", 1}, {"b", 1}};
    struct str text = {(const char *)data, size};
    struct check_tally tallies[2] = {{0}}, tallies_again[2] = {{0}};
    struct check_record r = {.count = 2, .names = names, .experts = tallies};
    struct check_record again = {.count = 2, .names = names, .experts = tallies_again};
    const struct check_named named = {STR("p"), &r}, named_again = {STR("p"), &again};
    struct error err;
    if (check_state_parse(text, "fuzz", &named, 1, &err) != OK) {
        CHECK(r.answers == 0 && tallies[0].checks == 0 && tallies[1].checks == 0);
        return 0;
    }
    struct buf out;
    const struct verified_check owner = {.false_pass = 0.1f, .false_alarm = 0.1f};
    buf_init(&out, CHECK_STATE_BYTES_MAX);
    check_state_write(&out, &named, 1);
    CHECK(check_state_parse(buf_str(&out), "again", &named_again, 1, &err) == OK);
    CHECK(again.answers == r.answers);
    CHECK(memcmp(tallies, tallies_again, sizeof(tallies)) == 0);
    struct verified_check c;
    float shift[2];
    check_record_believe(&r, &owner, &c, shift);
    CHECK(c.false_pass >= 0 && c.false_pass <= 1 && c.false_alarm >= 0 && c.false_alarm <= 1);
    CHECK(shift[0] >= -CHECK_SHIFT_MAX && shift[0] <= CHECK_SHIFT_MAX);
    buf_done(&out);
    return 0;
}
