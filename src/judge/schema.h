/* JSON Schema, the part that says what an answer may look like: type, properties, required, additionalProperties,
 * items, enum, const, minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength, pattern, minItems,
 * maxItems, anyOf, allOf, oneOf, not, and $ref to "#" or "#/$defs/NAME" ("definitions", too). Any other keyword is
 * refused by its name and never passed over, but for those that say nothing: title, description, default, examples,
 * $comment, $schema. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/json.h"

#define SCHEMA_DEPTH_MAX     64     /* of schemas in schemas, by $ref, too */
#define SCHEMA_STEPS_MAX     100000 /* of one validation */
#define SCHEMA_PATTERN_STEPS 10     /* that a text counts for which is held to a pattern */

/* Whether all of it is understood. ERR_INPUT names the keyword and its place. */
NODISCARD enum status schema_read(struct json_value schema, struct error *err);
/* `schema` has passed schema_read. ERR_TOO_LARGE: over a limit. `a` for strings with escapes and patterns. */
NODISCARD enum status schema_valid(struct json_value schema, struct json_value value,
                                   struct arena *a, bool *ret, struct error *err);
