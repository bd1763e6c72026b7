/* What brings lines to standard error. At first they are written directly, each by one write, by whoever has one: right
 * for a command that ends soon. A process with event loops starts a writer, for a pipe that nobody reads, a full disk
 * or a stopped terminal would hold up every loop: then lines go to a bounded buffer, and a thread of its own writes
 * them, whole and in order, several at a time where they fit in PIPE_BUF.
 *
 * When the buffer is full, lines are dropped and counted. Once all that came before has been written, a line says how
 * many, and only then are lines taken again: so it stands where the gap is. A child made by fork has no writer and
 * writes directly. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define LOG_LINE_BYTES   2048         /* of a line, its newline included */
#define LOG_BUFFER_BYTES (256u << 10) /* of lines that wait to be written */
#define LOG_STOP_MS      2000         /* what a process gives them at its end */

/* Starts the writer, once in a process at a time. ERR_IO: there is no thread. */
NODISCARD enum status log_writer_start(struct error *err);
/* Waits until all lines are written, but not longer than `timeout_ms`, and ends the writer. Where standard error took
 * none until then, what is left is dropped, and so is everything later. The last to log has to call it. */
void log_writer_stop(uint32_t timeout_ms);
/* A line of at most LOG_LINE_BYTES, with its newline. Any thread; while a writer runs it waits for nothing. */
void log_write(struct str line);
/* Lines that were dropped since the process began. Any thread. */
uint64_t log_dropped(void);
