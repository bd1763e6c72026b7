/* Which group the questions of a data set's domain belong to. */
#pragma once

#include "base/str.h"

#define DOMAIN_GROUPS 14

extern const char *const domain_group_names[DOMAIN_GROUPS];
/* Of a query with that task and domain; SIZE_MAX: of no group. */
size_t domain_group(struct str task, struct str domain);
