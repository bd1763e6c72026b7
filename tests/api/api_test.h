/* Handles over the model of serve_test.h: experts cheap, mid, dear, and plans over them. */
#pragma once

#include <leeroo.h>

/* The model file's own bytes are not needed: its handle is wrapped around a trained one. */
struct leeroo_model *api_test_model(void);
/* All experts at the trained prices; the caller's model may go. */
struct leeroo_router *api_test_router(void);
/* NULL options: the default policy, over a router of its own. */
struct leeroo_policy *api_test_policy(const struct leeroo_policy_options *options);
struct leeroo_query api_test_query(const char *text);
