// Preloaded: flushes standard output when libraries are unloaded, as UCX does, after the program's own exit handlers.
#include <stdio.h>

#define AT_UNLOADING __attribute__((destructor))
AT_UNLOADING static void flush(void)
{
	(void)fflush(stdout);
}
