/* Keeps the budgets of a pool in the file budgets.json of a folder: read at the start, written by a thread of its own
 * every KEEPER_PERIOD_MS when something has changed, and once more at the end. No event loop waits for a disk. */
#pragma once

#include "serve/pool.h"

#define KEEPER_PERIOD_MS 2000

struct keeper;

/* The pool must outlive the keeper. Makes the folder where there is none, and writes at once, so that a folder that
 * cannot be written to is found at the start: ERR_IO. A damaged file is set aside with a warning in the log. *ret is
 * NULL when no policy has a budget. */
NODISCARD enum status keeper_start(struct pool *p, const char *folder, struct keeper **ret,
                                   struct error *err);
void keeper_stop(struct keeper *k); /* NULL is fine */
