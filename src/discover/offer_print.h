/* What `leeroo init` found, for people and for programs. */
#pragma once

#include <stdio.h>

#include "discover/offer.h"

/* What came of asking, one line each; `quiet_ports`: nothing is said of ports where nobody listens. */
void offer_print_endpoints(const struct endpoint_list *s, bool quiet_ports, FILE *out);
/* `row_max`: of each endpoint; further ones are counted. 0: all. */
void offer_print_table(const struct offer_list *offers, size_t row_max, FILE *out);
NODISCARD enum status offer_print_json(const struct endpoint_list *s,
                                       const struct offer_list *offers, FILE *out,
                                       struct error *err);
