/* "What lambda should I take?", answered for a person and for a program. */
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "print/lambda_points.h"

/* Nothing where too few queries tell anything. */
void lambda_advice_print(const struct lambda_points *p, FILE *out);
/* The member `"lambdas": {...}`, without a comma before it; null where there is nothing to say. */
void lambda_advice_json(const struct lambda_points *p, struct buf *b);
