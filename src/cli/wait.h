/* Waiting for somebody to end the program. */
#pragma once

#include "base/error.h"

/* Returns on SIGINT or SIGTERM. Other threads go on meanwhile. */
NODISCARD enum status cli_wait_for_signal(struct error *err);
