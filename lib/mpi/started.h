// Whether a launcher started this process among others; see started.c.
#ifndef AI8X_MPI_STARTED_H
#define AI8X_MPI_STARTED_H

#include <stdbool.h>

bool started_by_launcher(void);

#endif
