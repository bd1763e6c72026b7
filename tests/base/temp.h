/* Files for the tests of readers and writers: each test makes its own folder under /tmp and leaves it empty. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

struct temp {
    char folder[64];
    char path[128];
};

/* A fresh folder; t->path is `name` inside it. */
static inline void temp_begin(struct temp *t, const char *name)
{
    strcpy(t->folder, "/tmp/leeroo-test-XXXXXX");
    cr_assert_not_null(mkdtemp(t->folder));
    snprintf(t->path, sizeof(t->path), "%s/%s", t->folder, name);
}

static inline void temp_write(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, len, f), len);
    cr_assert_eq(fclose(f), 0);
}

static inline void temp_end(struct temp *t)
{
    unlink(t->path);
    cr_assert_eq(rmdir(t->folder), 0, "the test left something in %s", t->folder);
}
