/* A record as a line on standard error, where the log's level lets it pass. */
#pragma once

#include "watch/record.h"

/* Of a record that has ended. Any thread. */
void access_log_write(const struct record *r);
