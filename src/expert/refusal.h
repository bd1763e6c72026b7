/* Whose fault a refusal is: an expert may refuse a request because of what it is itself, and another may take it. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* Whether an answer refuses what only this expert cannot do: the conversation is too long for it, a parameter or a kind
 * of content is unknown to it, its provider's filter objects, it failed to write what was asked. False for what is
 * wrong with the request itself, and for every other failure. */
bool refusal_is_of_expert(int http_status, struct str body);
