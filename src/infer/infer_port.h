/* Private to infer/: how what a model writes reaches the thread that asked. */
#pragma once

#include "infer/infer_int.h"

/* Of the thread of `s`. NULL: no memory. */
struct infer_port *infer_port_create(struct scheduler *s);
/* When nothing runs on that thread any more, and each of its calls is over. */
void infer_port_close(struct infer_port *p);

/* Held once. NULL: no memory. */
struct infer_call *infer_call_create(struct infer_port *p, size_t arena_bytes);

/* transport_gguf.c: tells a call's news, on the thread that asked. */
void infer_deliver(struct infer_call *c);
