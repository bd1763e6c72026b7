/* Region memory with a hard cap and a cleanup list: everything a request allocates goes away at once.
 *
 * Cleanups run in reverse order of registration, before the memory goes. Unused bytes are poisoned under
 * AddressSanitizer. Not thread-safe: an arena belongs to one request or one command. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

struct arena;

struct arena *arena_create(size_t cap_bytes); /* NULL when out of memory */
void arena_free(struct arena *a);             /* NULL is fine */
void arena_reset(struct arena *a);            /* runs cleanups, keeps the first block */
/* 16-byte aligned, zeroed; NULL when out of memory or over the cap. */
void *arena_alloc(struct arena *a, size_t bytes);
void *arena_array(struct arena *a, size_t count, size_t size); /* overflow-checked arena_alloc */
/* Copies; the copy is also NUL-terminated. ptr is NULL on failure (never for an empty slice). */
struct str arena_copy(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
NODISCARD enum status arena_defer(struct arena *a, void (*cleanup)(void *), void *arg);
size_t arena_used_bytes(const struct arena *a);

#define ARENA_NEW(a, type)          ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, count, type) ((type *)arena_array((a), (count), sizeof(type)))
