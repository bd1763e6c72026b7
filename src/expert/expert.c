/* Looking experts up. */
#include "expert/expert.h"

size_t expert_index(const struct expert *experts, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(experts[i].name, name))
            return i;
    return SIZE_MAX;
}
