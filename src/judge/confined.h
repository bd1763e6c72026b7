/* A command that judges an answer, run where it can do little harm, because the answer that it reads, and often runs,
 * was written by a model. It has no network (seccomp: no socket can be made; and a network namespace of its own where
 * the kernel allows that), cannot send signals, set limits or priorities of others, gain privileges or leave memory
 * behind, writes no files but in an empty folder of its own (Landlock; the folder goes afterwards), has limits on time,
 * memory, output and processes, an environment of PATH, HOME and LANG alone, and no open files but its input and
 * output. Started by root, it runs as nobody.
 *
 * What it may still do: read what its user may read, unless `readable` says what; and where the kernel does not let
 * everybody have mounts of their own, set modes and times of its user's files. Nothing that it reads can leave the
 * machine but by what it says. Linux on x86-64 and arm64; elsewhere, and where the kernel has no seccomp, commands are
 * refused. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define CONFINED_ARGS_MAX     64
#define CONFINED_WALL_MS      10000
#define CONFINED_CPU_S        10
#define CONFINED_MEMORY_BYTES ((uint64_t)1 << 30) /* of address space, of each process */
#define CONFINED_OUTPUT_BYTES 65536
#define CONFINED_FILE_BYTES   ((uint64_t)16 << 20) /* of each */
#define CONFINED_FILES        64                   /* open at once */
#define CONFINED_PROCESSES    32                   /* threads count, too */

struct confined_limits { /* 0: as above */
    int64_t wall_ms;
    uint64_t cpu_s, memory_bytes;
    size_t output_bytes;
    /* NULL: it reads what its user may read. Else, NULL-terminated: no more than these files and folders, its program,
     * its own folder, and what programs need to run (/usr, /lib, /opt and the like). That needs Landlock. */
    const char *const *readable;
    const int *
        stop; /* NULL: none. A descriptor: as soon as it can be read from, the command is killed. */
};

struct confined_end {
    int exit_code;              /* -1: it did not end by itself */
    int signal;                 /* that ended it; 0: none */
    bool timed_out, output_cut; /* then it was killed */
    bool stopped;               /* likewise, by `stop` */
};

/* Runs argv (NULL-terminated; the first is looked for in PATH unless it has a slash) with `input` on standard input,
 * and appends its standard output to `output`. Its end is the end: what it has left running is killed, and nobody waits
 * for it. ERR_NOT_FOUND: no such command, or no such file that is to be readable. ERR_UNSUPPORTED: no seccomp here, or
 * no Landlock where it is needed. That it fails is no error. */
NODISCARD enum status confined_run(const char *const *argv, struct str input,
                                   const struct confined_limits *limits, struct buf *output,
                                   struct confined_end *ret, struct error *err);
