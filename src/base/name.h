/* What experts and policies may be called. Names travel in headers, logs, URLs and file names, so they are kept plain,
 * and by one rule in data sets, model files and configurations: who can be trained can be served. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

#define NAME_BYTES_MAX 128

/* Letters, digits and . _ - : @ +, with `slash` also /; 1 to NAME_BYTES_MAX bytes. */
bool name_is_plain(struct str s, bool slash);
/* What is wrong with an expert's name, to stand behind the name in a sentence; NULL: nothing. */
const char *expert_name_mistake(struct str name);
