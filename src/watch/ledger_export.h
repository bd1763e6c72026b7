/* Requests of a ledger as text for other programs: CSV with a row of names, or JSON Lines, each line what
 * GET /v1/requests/ID says. */
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "store/ledger_each.h"

enum ledger_export_format { LEDGER_EXPORT_CSV, LEDGER_EXPORT_JSONL };

/* "csv", "jsonl". ERR_INPUT. */
NODISCARD enum status ledger_export_format_parse(struct str name, enum ledger_export_format *ret);

/* Writes as it reads, so that memory stays flat. ERR_IO: `out` takes no more; else as ledger_each. */
NODISCARD enum status ledger_export(struct ledger_reader *r, const struct ledger_filter *f,
                                    enum ledger_export_format format, FILE *out, uint64_t *ret_rows,
                                    struct error *err);

/* One row and the names above it, with their line ends. In CSV a text that a spreadsheet would run as a formula has a '
 * in front, because models and comments are clients' to choose. */
void ledger_export_names(struct buf *out);
void ledger_export_row(const struct ledger_found *f, struct buf *out);
