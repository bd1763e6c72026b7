/* Looking experts up. */
#include "expert/expert.h"

#include <criterion/criterion.h>

Test(expert, found_by_its_whole_name_only)
{
    const struct expert experts[] = {{.name = STR("small")}, {.name = STR("large")}};
    cr_assert_eq(expert_index(experts, 2, STR("large")), 1);
    cr_assert_eq(expert_index(experts, 2, STR("larg")), SIZE_MAX);
    cr_assert_eq(expert_index(experts, 2, STR("Large")), SIZE_MAX);
    cr_assert_eq(expert_index(experts, 0, STR("large")), SIZE_MAX);
}
