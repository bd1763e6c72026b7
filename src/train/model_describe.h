/* The metadata of a model file. Internal to the files that write models. */
#pragma once

#include "base/buf.h"
#include "predict/model_parts.h"

#define MODEL_ZEROS "0000000000000000" /* where the checksum comes to stand */

/* The JSON object; b->status tells when it did not fit. */
void model_describe(const struct model_parts *p, struct buf *b);
/* The value of `plans`, a JSON list. */
void model_describe_plans(const struct model_parts *p, struct buf *b);
