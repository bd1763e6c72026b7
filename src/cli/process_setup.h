/* What every command of the program shares before it begins and when it is done. */
#pragma once

/* Environment variable that keeps core dumps and debuggers possible, whatever its value but "0" and "". */
#define CORE_DUMPS_VARIABLE "LEEROO_CORE_DUMPS"

/* Puts something under descriptors 0, 1 and 2 where they are closed, so that no file of ours gets their numbers; what
 * uses them fails as before. Then forbids core dumps: the memory of all commands that ask experts holds their keys. */
void process_begin(void);
/* The exit status of a command that returned `status`: 1 after a line on standard error where its output did not reach
 * standard output (a full disk, a closed pipe) and the command did not say so itself. */
int process_end(const char *command, int status);
/* SIGALRM ends the process at once with status 1, and with these words on standard error if it takes them. The text is
 * a literal with a newline. */
void process_end_on_alarm(const char *words);
