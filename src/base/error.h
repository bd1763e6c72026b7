/* One enum of outcomes for every fallible function, and a struct error for the person who reads it.
 *
 * A fallible function returns enum status, is marked NODISCARD, takes an optional `struct error *err`
 * as its last parameter, and leaves its outputs untouched on failure. The text is formatted once, at the
 * place that knows (file, line, column, key and the mend); callers above may prefix context. */
#pragma once

#include <stddef.h>

#define NODISCARD __attribute__((warn_unused_result))

enum status {
    OK = 0,
    AGAIN,           /* not now; try later */
    CLOSED,          /* the end of the input, or the peer has gone in good order */
    ERR_USAGE,       /* wrong command line */
    ERR_INPUT,       /* malformed input */
    ERR_TOO_LARGE,   /* a named limit was exceeded */
    ERR_AUTH,        /* missing or wrong credentials */
    ERR_FORBIDDEN,   /* good credentials, but not for this */
    ERR_NOT_FOUND,   /* no such file, model, path */
    ERR_QUOTA,       /* the caller's own budget is used up */
    ERR_RATE,        /* the caller asks more often than it may */
    ERR_BUDGET,      /* nothing affordable under the policy */
    ERR_OVERLOAD,    /* too much at once; retry later */
    ERR_TIMEOUT,     /* a deadline passed */
    ERR_UPSTREAM,    /* an expert failed */
    ERR_IO,          /* the operating system refused; see sys_errno */
    ERR_CORRUPT,     /* bytes that we once wrote are damaged, or a foreign file */
    ERR_MEMORY,      /* out of memory, or an arena at its cap */
    ERR_UNSUPPORTED, /* understood, but not offered */
    ERR_CANCELLED,   /* given up on request */
    ERR_CONTEXT,     /* the conversation is longer than any expert's context */
    STATUS_COUNT
};

struct error {
    enum status status;
    int sys_errno;  /* 0 unless the operating system said so */
    size_t line;    /* 1-based place in the input; 0 where none */
    size_t column;  /* 1-based, in bytes; 0 where none */
    char text[400]; /* one sentence, NUL-terminated, no newline */
};

/* Fills *err (which may be NULL) and returns `status`, so that `return error_set(err, ...)` is one line.
 * Keeps nothing of what *err held before. */
enum status error_set(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, and appends ": strerror(sys_errno)". */
enum status error_set_errno(struct error *err, enum status status, int sys_errno,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

/* As error_set for a malformed input; the text becomes "PLACE:LINE:COLUMN: ...". column 0 is left out. */
enum status error_set_at(struct error *err, enum status status, const char *place, size_t line,
                         size_t column, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

#ifdef __clang_analyzer__
/* The analyzer does not look into other files: here it sees that the status comes back. */
#define error_set(err, code, ...)                                                                  \
    __extension__({                                                                                \
        enum status code_ = (code);                                                                \
        (void)(error_set)((err), code_, __VA_ARGS__);                                              \
        code_;                                                                                     \
    })
#endif

/* Puts context in front of the text: "PREFIX: text". Returns err->status (ERR_INPUT when err is NULL). */
enum status error_prefix(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts the mend behind the text: "text; MEND". Returns err->status (ERR_INPUT when err is NULL). */
enum status error_mend(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A stable lower-case name ("timeout"), for logs and metrics; never NULL. */
const char *status_name(enum status status);
