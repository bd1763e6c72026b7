/* Which build this is. */
#pragma once

extern const char build_commit[]; /* its commit; empty where there was no repository */
