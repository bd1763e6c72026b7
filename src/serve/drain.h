/* Private to serve: the end of a gateway. Each runs on the loop of worker 0; its argument is the struct gateway. */
#pragma once

struct gateway;

void drain_begin(void *gateway); /* once; again does nothing */
void drain_on_timer(void *gateway);
/* The first signal drains, the second stops at once. */
void drain_on_signal(void *gateway);
/* Stops all loops, whatever they are about; any thread. */
void drain_cut(struct gateway *g);
