/* Keeps the budgets of the newest configuration in the file budgets.json of a folder: read at the start, written by a
 * thread of its own every BUDGET_FILE_PERIOD_MS when something has changed, and once more at the end. No event loop
 * waits for a disk. */
#pragma once

#include "serve/snapshot.h"

#define BUDGET_FILE_PERIOD_MS 2000

struct budget_file;

/* Holds the snapshot. Makes the folder where there is none, and writes at once if any policy has a budget, so that a
 * folder that cannot be written to is found at the start: ERR_IO. A damaged file is set aside with a warning in the
 * log. */
NODISCARD enum status budget_file_start(struct snapshot *s, const char *folder,
                                        struct budget_file **ret, struct error *err);
/* From now on it keeps the budgets of s; any thread but a loop's. ERR_MEMORY: it goes on as before. */
NODISCARD enum status budget_file_follow(struct budget_file *k, struct snapshot *s,
                                         struct error *err);
void budget_file_stop(struct budget_file *k); /* NULL is fine */
