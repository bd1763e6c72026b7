/* For commands that run until they are told to end. */
#pragma once

#include "base/error.h"

/* Blocks until SIGINT or SIGTERM comes. Other threads go on meanwhile. ERR_IO: signals cannot be watched. */
NODISCARD enum status cli_wait_for_signal(struct error *err);
