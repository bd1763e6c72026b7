/* A state file of budgets: what is accepted is possible, and is written and read back the same. */
#include <string.h>

#include "base/check.h"
#include "plan/budget_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct budget_named a = {.name = STR("a"), .usd_per_1k = 0.5}, again = a;
    const struct budget_named before = a;
    bool found = false, found_again = false;
    struct error err;
    if (budget_state_parse(text, "fuzz", &a, &found, 1, &err) != OK) {
        CHECK(!found);
        CHECK(memcmp(&a.state, &before.state, sizeof(a.state)) == 0);
        return 0;
    }
    if (!found)
        return 0;
    struct buf out;
    CHECK(budget_state_possible(&a.state));
    buf_init(&out, BUDGET_STATE_BYTES_MAX);
    budget_state_write(&out, &a, 1);
    CHECK(budget_state_parse(buf_str(&out), "again", &again, &found_again, 1, &err) == OK);
    CHECK(found_again);
    CHECK(again.state.queries == a.state.queries);
    CHECK(again.state.debt == a.state.debt && again.state.mix == a.state.mix);
    CHECK(again.state.run == a.state.run && again.state.run_squares == a.state.run_squares);
    buf_done(&out);
    return 0;
}
