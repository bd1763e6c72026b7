/* RUN_DIR/report.html: what a run of self-play has learnt, what that cost, and whether to believe it, for a person.
 *
 * Made of the run's files alone (docs/play.md), so that a run that is over gets its page, too: round-K/round.json and
 * cells.csv, the data set, posed.jsonl and dropped.jsonl. Nothing in it is fetched and nothing runs. */
#pragma once

#include "base/error.h"

#define RUNPAGE_BYTES_MAX (32u << 20)

/* Writes the page anew; a reader finds the old one or the new one, whole. Without a round that is over it writes
 * nothing. ERR_CORRUPT, ERR_INPUT: a file of the run is not as it was written. */
NODISCARD enum status runpage_write(const char *run_folder, struct error *err);
