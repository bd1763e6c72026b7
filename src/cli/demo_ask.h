/* The last two steps of `leeroo demo` (demo/demo.h): the gateway, and three questions through it, shown as `leeroo ask`
 * shows them. */
#pragma once

#include "demo/demo.h"

NODISCARD enum status demo_serve(struct demo *d, struct error *err);     /* 5: the gateway */
NODISCARD enum status demo_ask_three(struct demo *d, struct error *err); /* 6: three questions */
