/* What `leeroo select --probe` prints: the set, step by step, what it cost, what remains doubtful. */
#pragma once

#include <stdio.h>

#include "play/play.h"

/* `folder`: of the run, to go on with. */
void probe_print(const struct play_probed *p, const char *folder, FILE *out);
/* One JSON object on one line. */
void probe_print_json(const struct play_probed *p, FILE *out);
