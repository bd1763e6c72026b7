/* A model of three experts (cheap, mid, dear) trained on made-up outcomes: everybody is good at easy questions
 * ("hello cat"), only the dear one at hard ones ("prove lemma"). */
#pragma once

#include "config/config.h"
#include "predict/model.h"
#include "route/pool_choice.h"

struct model *serve_test_model(void);
/* The same with what they answered, and so with plans: panel(cheap,mid→dear), bare and with an escalation, and
 * cascade(cheap→dear). `telling`: a text that answers wrong shows it now and then, without which no cascade is worth
 * its price and with which no bare panel is. */
struct model *serve_test_plan_model(bool telling);
#define SERVE_TEST_PANEL "panel(cheap,mid→dear)"
/* `policies` of a leeroo.yaml by which `text` goes to that plan, or if `name` ends in '~' to one that begins so and has
 * an escalation. */
const char *serve_test_policies(const struct model *m, const char *text, const char *name);
/* Estimates and chooses, waiting for the encoder; nothing stays but the choice, in the arena. */
enum status serve_test_choose(struct pool *p, const struct openai_request *r,
                              struct pool_target target, struct arena *a, struct pool_choice *ret,
                              struct error *err);
/* `experts` and what follows of a leeroo.yaml; listens on 127.0.0.1:0. Bound to the model. */
struct config *serve_test_config(const struct model *m, const char *yaml);

#define SERVE_TEST_EXPERTS                                                                         \
    "experts:\n  - {name: cheap, url: \"http://127.0.0.1:1\"}\n"                                   \
    "  - {name: mid, url: \"http://127.0.0.1:1\"}\n  - {name: dear, url: "                         \
    "\"http://127.0.0.1:1\"}\n"
