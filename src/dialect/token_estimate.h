/* Token counts where none were reported: characters / 4, rounded up, as the recorded data sets count them. Characters
 * of other scripts than Latin count several (base/script.h). */
#pragma once

#include <stdint.h>

#include "base/json.h"
#include "base/script.h"

int64_t tokens_from_characters(uint64_t characters);
/* Code points of a JSON string, escapes resolved, without decoding it into memory; a surrogate pair counts as two. 0
 * for other values. */
uint64_t tokens_json_characters(struct json_value string);
/* The same, as many as Latin text has that makes as many tokens. */
uint64_t tokens_json_weight(struct json_value string);
/* The same, and adds the characters of each script to *counts. */
uint64_t tokens_json_scripts(struct json_value string, struct script_counts *counts);
