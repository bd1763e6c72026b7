/* A file is tried in a process of its own before this one reads it. llama.cpp asserts what a good file has, and ends
 * the process where one has not; there are more such assertions than anybody could check in front of it. So another
 * process loads the file, computes with it and says how it went. What it says is remembered by the file's fingerprint
 * for as long as this process lives. It gets none of the environment's keys. */
#pragma once

#include "lm/lm_file.h"

/* The program that can be asked: PROGRAM LM_TRY_COMMAND FD PATH [FD PATH…], open files of a model and of its adapters,
 * calls lm_try_files, writes its error as a line on standard error and exits with LM_TRY_EXIT + status, or 0. */
#define LM_TRY_COMMAND "try-gguf"
#define LM_TRY_EXIT    64
NODISCARD enum status lm_try_files(int argc, char **argv, struct error *err);

/* Which program, for all threads, before any model is loaded; the text must stay. Without one, or with NULL, files are
 * loaded untried. */
void lm_try_by(const char *program);

/* OK where there is no program. ERR_CORRUPT: the process that tried it was ended; else what that process said. */
NODISCARD enum status lm_try(const struct lm_files *f, struct error *err);
